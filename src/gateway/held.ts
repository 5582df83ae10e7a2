import type { Readable } from 'node:stream'
import { OctroiError } from '../errors.ts'

/** A body read as far as it may be held. `rest` goes on where `held` ends; null when all of it is held. */
export type HeldBody = { readonly held: Buffer; readonly rest: AsyncIterator<Buffer> | null }

/** Reads a reply until its end or `bytesMax`. Throws `upstream_broken` when it breaks off. */
export const hold = async (body: Readable, bytesMax: number): Promise<HeldBody> => {
  const iterator = (body as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for (;;) {
      const next = await iterator.next()
      if (next.done === true) return { held: Buffer.concat(chunks, bytes), rest: null }
      chunks.push(next.value)
      bytes += next.value.length
      if (bytes > bytesMax) return { held: Buffer.concat(chunks, bytes), rest: iterator }
    }
  } catch (error) {
    throw brokeOff(error)
  }
}

/** What a body that breaks off in the middle becomes. */
export const brokeOff = (error: unknown): OctroiError =>
  error instanceof OctroiError
    ? error
    : new OctroiError(
        'upstream_broken',
        'The provider broke off in the middle of its reply. It may have been billed.',
      )
