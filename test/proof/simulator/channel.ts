import type { CounterName } from '../../../src/limits/hold.ts'
import type { Limit } from '../../../src/limits/limit.ts'
import type { Left, Lent } from '../../../src/limits/slice.ts'
import type { callOf, End, SimulatedCall } from './world.ts'

/** A call that no slice has room for, and how often it was tried. */
export type Ask = { readonly draft: ReturnType<typeof callOf>; readonly tries: number }

/** What a worker tells the keeper. `gone` comes after everything that a worker sent before it died. */
export type Up =
  | ({ readonly kind: 'ask' } & Ask)
  | { readonly kind: 'reserve'; readonly call: SimulatedCall; readonly epoch: number }
  | { readonly kind: 'end'; readonly call: SimulatedCall; readonly end: End }
  | {
      readonly kind: 'back'
      readonly epoch: number
      readonly left: readonly Left[]
      readonly recalled: number | null
    }
  | { readonly kind: 'gone' }

/** What the keeper tells a worker. */
export type Down =
  | ({ readonly kind: 'lent'; readonly lent: Lent } & Ask)
  | { readonly kind: 'reserved'; readonly call: SimulatedCall }
  | { readonly kind: 'recall'; readonly counters: readonly CounterName[]; readonly recalled: number }
  | { readonly kind: 'limits'; readonly limits: readonly Limit[]; readonly epoch: number }

/** Messages in order and without loss, until one of its ends has died: then what is sent into it is lost. */
export type Channel = {
  readonly worker: string
  readonly up: Up[]
  readonly down: Down[]
  isDead: boolean
}

export const openChannel = (worker: string): Channel => ({ worker, up: [], down: [], isDead: false })

export const sendUp = ({ up, isDead }: Channel, message: Up): void => {
  if (!isDead) up.push(message)
}

export const sendDown = ({ down, isDead }: Channel, message: Down): void => {
  if (!isDead) down.push(message)
}
