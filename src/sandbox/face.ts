import type { IncomingMessage } from 'node:http'
import type { Refusal } from './refusal.ts'

/** How a vendor shows itself on the paths that begin with `prefix`: its headers, its keys, its errors. */
export type Face = {
  readonly prefix: string
  readonly headers: (requestId: string) => Readonly<Record<string, string>>
  /** Throws the vendor's refusal of a request without a key that it accepts, or, where it asks for one, without an
   * admin key. */
  readonly checkKey: (request: IncomingMessage, asked: { query: URLSearchParams; admin: boolean }) => void
  readonly unknownUrl: (place: { readonly method: string; readonly path: string }) => Refusal
  readonly brokenJson: () => Refusal
  /** What a fault of a status says. */
  readonly ofStatus: (status: number, fault: { readonly code?: string; readonly model: string }) => Refusal
  readonly body: (refusal: Refusal, requestId: string) => unknown
}
