import { OctroiError } from '../../errors.ts'

/** Who takes a reply that is written while it is made. */
export type Taker = {
  readonly readable: ReadableStream<Uint8Array>
  /** Resolves when the first of it is written. */
  readonly begun: Promise<void>
  readonly hasBegun: () => boolean
  /** The client went, or all is to end. */
  readonly isGone: () => boolean
  /** Resolves when there is room for more. Throws when the client went or takes nothing for a minute, or all is to end. */
  readonly write: (text: string) => Promise<void>
  /** Throws when all is to end. */
  readonly check: () => void
  readonly stop: () => void
  readonly end: () => void
  readonly fail: (error: unknown) => void
}

/** How long a client may take nothing. */
const takenMsMax = 60_000

/** Makes a reply that is written while it is made. */
export const openTaker = (): Taker => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const output = writable.getWriter()
  const encoder = new TextEncoder()
  const begun = Promise.withResolvers<void>()
  const stopped = Promise.withResolvers<never>()
  // Nobody may be waiting when it is stopped.
  stopped.promise.catch(() => {})
  let [hasBegun, isGone, isStopped] = [false, false, false]
  output.closed.catch(() => {
    isGone = true
  })
  const stopping = () => new OctroiError('overloaded', 'The gateway is stopping. Ask the next one.')
  const check = (): void => {
    if (isStopped) throw stopping()
  }
  return {
    ...{ readable, begun: begun.promise, check },
    hasBegun: () => hasBegun,
    isGone: () => isGone || isStopped,
    write: async (text) => {
      check()
      if (isGone) throw new OctroiError('client_gone', 'The client has gone.')
      if (text === '') return
      hasBegun = true
      begun.resolve()
      const late = Promise.withResolvers<never>()
      const timer = setTimeout(
        () => late.reject(new OctroiError('client_gone', 'The client takes nothing any more.')),
        takenMsMax,
      )
      const written = output.write(encoder.encode(text))
      await Promise.race([written, stopped.promise, late.promise]).finally(() => clearTimeout(timer))
    },
    stop: () => {
      isStopped = true
      stopped.reject(stopping())
    },
    // A client that has gone takes neither an end nor an error.
    end: () => {
      output.close().catch(() => {})
    },
    fail: (error) => {
      output.abort(error).catch(() => {})
    },
  }
}
