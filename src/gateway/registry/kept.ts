import type { Meter } from '../../usage/meter.ts'

/** An object that a holder keeps because of a source. */
export type KeptObject = {
  readonly upstream: string
  readonly meter: Meter
  readonly holder: string
  readonly object: string
  readonly source: string
}

/** Which of them: null is every one. */
export type KeptPlace = { readonly upstream: string } & {
  readonly [Part in 'holder' | 'object' | 'source']: string | null
}
