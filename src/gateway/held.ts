import type { Readable } from 'node:stream'
import { OctroiError } from '../errors.ts'

/** A body read as far as it may be held. `rest` goes on where `held` ends; null when all of it is held. */
export type HeldBody = { readonly held: Buffer; readonly rest: AsyncIterator<Buffer> | null }

/** Reads a reply until its end or `bytesMax`. Throws `upstream_broken` when it breaks off. `heard` is told of each part. */
export const hold = async (
  body: Readable,
  bytesMax: number,
  heard: () => void = () => undefined,
): Promise<HeldBody> => {
  const chunks: Buffer[] = []
  let bytes = 0
  const isAll = await readChunks(body, (chunk) => {
    heard()
    chunks.push(chunk)
    bytes += chunk.length
    return bytes <= bytesMax
  }).catch((error: unknown) => {
    throw brokeOff(error)
  })
  const held = joined(chunks, bytes)
  return { held, rest: isAll ? null : (body as AsyncIterable<Buffer>)[Symbol.asyncIterator]() }
}

/** Gives the chunks of a stream, one by one, until its end (true) or until `take` has enough (false); then the stream
 * is paused, and goes on where it was. Rejects with what `take` throws or the stream breaks with. */
export const readChunks = (stream: Readable, take: (chunk: Buffer) => boolean): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const leave = (): void => {
      stream.off('data', data).off('end', end).off('close', close)
    }
    const data = (chunk: Buffer): void => {
      let goesOn = false
      try {
        goesOn = take(chunk)
        if (goesOn) return
        resolve(false)
      } catch (error) {
        reject(error)
      }
      leave()
      stream.pause()
    }
    const end = (): void => {
      leave()
      resolve(true)
    }
    const close = (): void => {
      leave()
      reject(stream.errored ?? new Error('the stream was closed before its end'))
    }
    // Stays: a stream that breaks while nobody reads it must not end the process. Its next reader is told.
    stream.on('error', close)
    if (stream.readableEnded) end()
    else if (stream.destroyed) close()
    else stream.on('data', data).on('end', end).on('close', close)
  })

/** Chunks as one. */
export const joined = (chunks: readonly Buffer[], bytes: number): Buffer =>
  chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, bytes)

/** What a body that breaks off in the middle becomes. */
export const brokeOff = (error: unknown): OctroiError =>
  error instanceof OctroiError
    ? error
    : new OctroiError(
        'upstream_broken',
        'The provider broke off in the middle of its reply. It may have been billed.',
      )
