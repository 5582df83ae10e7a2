import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { member } from '../../endpoints/json.ts'
import { OctroiError } from '../../errors.ts'
import type { Elsewhere } from '../handle.ts'

/** Says that a call must be answered by the keeper: only there its limits can be asked as it needs. */
export class HandOver extends Error {}

/** Headers that are between two neighbours. The keeper's socket has its own. */
const betweenNeighbours: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
  'expect',
])

/** Counts the requests that the keeper answers. */
export type Handover = Elsewhere & { readonly inFlight: () => number }

/** Passes to the keeper's socket, as they are, all requests but the calls whose reply says what they cost: what lasts
 * longer than its connection lives there, and what waits for a vendor's limits is counted there. */
export const createHandover = (socketPath: string): Handover => {
  let inFlight = 0
  return {
    inFlight: () => inFlight,
    isPlace: (found) => found?.route.billing !== 'reply' || found.upstream.learnsLimits,
    isAsked: (_, asked) => member(asked, 'background') === true,
    isDue: (error) => error instanceof HandOver,
    pass: async (incoming, outgoing, body) => {
      inFlight += 1
      try {
        await passOn(socketPath, incoming, outgoing, body)
      } finally {
        inFlight -= 1
      }
    },
  }
}

const passOn = async (
  socketPath: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  body: Buffer | null,
): Promise<void> => {
  const { method, url } = incoming
  const reply = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = requestHeaders(incoming, body)
    const sent = request({ socketPath, agent: false, method, path: url, headers })
    sent.once('response', resolve)
    sent.on('error', (error: NodeJS.ErrnoException) =>
      reject(outgoing.destroyed ? clientGone() : unreachable(error)),
    )
    // Who leaves leaves there as well; what becomes of the call is settled there.
    outgoing.once('close', () => {
      if (!outgoing.writableFinished) sent.destroy()
    })
    if (body !== null) sent.end(body)
    else passBody(incoming, sent)
  })
  outgoing.sendDate = false
  outgoing.writeHead(reply.statusCode ?? 503, reply.statusMessage, kept(reply.rawHeaders))
  // What comes late in a stream must not wait for what comes after it.
  outgoing.flushHeaders()
  await pipeline(reply, outgoing).catch(() => outgoing.destroy())
}

/** The last piece and the end go in one write. Node ends a request with a write of no bytes, and one that comes after the
 * keeper has had the whole body, answered and closed fails with EPIPE: its answer would be lost. */
const passBody = (incoming: IncomingMessage, sent: ClientRequest): void => {
  let last: Buffer | null = null
  incoming.on('data', (piece: Buffer) => {
    if (last !== null && !sent.write(last)) {
      incoming.pause()
      sent.once('drain', () => incoming.resume())
    }
    last = piece
  })
  incoming.once('end', () => {
    if (last === null) sent.end()
    else sent.end(last)
  })
  incoming.once('error', () => sent.destroy())
}

/** The same headers in the same order and letters. A body that was read whole has a length. */
const requestHeaders = ({ rawHeaders }: IncomingMessage, body: Buffer | null): string[] =>
  body === null
    ? kept(rawHeaders, (name) => name === 'transfer-encoding')
    : [...kept(rawHeaders, () => false, 'content-length'), 'content-length', String(body.length)]

const kept = (
  raw: readonly string[],
  isNeeded: (name: string) => boolean = () => false,
  dropped?: string,
): string[] => {
  const headers: string[] = []
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] ?? '').toLowerCase()
    if (name === dropped || (betweenNeighbours.has(name) && !isNeeded(name))) continue
    headers.push(raw[at] ?? '', raw[at + 1] ?? '')
  }
  return headers
}

const clientGone = (): OctroiError =>
  new OctroiError('client_gone', 'The client left before it was answered.')

const unreachable = (error: NodeJS.ErrnoException): OctroiError =>
  new OctroiError(
    'internal',
    `The process that keeps the ledger did not answer (${error.code ?? error.name}). Try again shortly.`,
  )
