import type { Endpoint } from '../endpoints/endpoint.ts'

/** How a provider takes its key: the header, and what stands before the key in it. */
export type Authorization = { readonly header: string; readonly prefix: string }

/** A vendor: where it is, how it takes its key, which wires it speaks and what it calls its counters there. */
export type Provider = {
  readonly id: string
  /** With the version in its path. Null where the operator must say it. */
  readonly baseUrl: string | null
  readonly authorize: Authorization
  /** The environment variable that holds the vendor's key. Null: the operator names one, or there is none. */
  readonly keyVariable: string | null
  readonly endpoints: readonly Endpoint[]
}

export const bearer: Authorization = { header: 'authorization', prefix: 'Bearer ' }
