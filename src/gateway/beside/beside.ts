import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Refusal } from '../../endpoints/endpoint.ts'
import { errorCodes, OctroiError } from '../../errors.ts'
import type { CallLife } from '../../ledger/reading.ts'
import { formatAmount } from '../../limits/measure.ts'
import { formatPicos, type Picos } from '../../money/money.ts'
import { formatInstant } from '../../time.ts'
import { type DataOperation, dataOperations } from '../api/data-operations.ts'
import { parseBody, readBody } from '../body.ts'
import { lowerToFit, toldLowered } from '../clamp.ts'
import type { Caller } from '../identify.ts'
import { limitRefusal } from '../limit-refusal.ts'
import { shownLimit } from '../limit-states.ts'
import type { Parts } from '../parts.ts'
import type { Upstream } from '../upstream.ts'
import {
  readQuoteAsked,
  readReleaseAsked,
  readRenewalAsked,
  readReservationAsked,
  readSpent,
  readUsageAsked,
} from './asked.ts'
import { quoteRequest, upstreamOf } from './calls.ts'
import { createVerbs, type Done } from './verbs.ts'

/** Whether an address is one of Octroi's own on the data port. */
export const isBeside = (url: string): boolean => url.startsWith('/octroi/v1/')

/** An error as these addresses tell it: as the control plane does. */
export const besideRefusal = (error: OctroiError): Refusal => ({
  status: errorCodes[error.code].status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ error: { code: error.code, message: error.message, ...error.details } }),
})

/** Answers for calls that do not pass through: quotes, reservations, and what was used without one. Throws what
 * stands in `docs/errors.md`. */
export const createBeside = (parts: Parts, upstreams: readonly Upstream[]) => {
  const verbs = createVerbs(parts, upstreams)

  const answers: Readonly<Record<DataOperation, (asked: Asked) => Promise<Answer>>> = {
    'POST /octroi/v1/quote': async ({ caller, body }) => ({
      status: 200,
      body: await quoted(parts, upstreams, caller, readQuoteAsked(await body())),
    }),
    'POST /octroi/v1/reservations': async ({ caller, body }) =>
      created(await verbs.reserve(caller, readReservationAsked(await body()))),
    'POST /octroi/v1/usage': async ({ caller, body }) =>
      created(await verbs.book(caller, readUsageAsked(await body()))),
    'GET /octroi/v1/reservations/{id}': async ({ caller, id }) => ({
      status: 200,
      body: shownLife(await verbs.show(caller, id)),
    }),
    'POST /octroi/v1/reservations/{id}/settle': async ({ caller, id, body }) =>
      ok(await verbs.settle(caller, id, readSpent(await body()))),
    'POST /octroi/v1/reservations/{id}/release': async ({ caller, id, body }) =>
      ok(await verbs.release(caller, id, readReleaseAsked(await body()))),
    'POST /octroi/v1/reservations/{id}/renew': async ({ caller, id, body }) => {
      const until = await verbs.renew(caller, id, readRenewalAsked(await body()) * 1_000)
      return { status: 200, body: { id, leaseUntil: formatInstant(until) } }
    },
  }

  const answerTo = ({ method, path }: { method: string; path: string }, asked: Omit<Asked, 'id'>) => {
    const [, octroi, version, name, id, ...action] = path.split('/')
    const place = [octroi, version, name, ...(id === undefined ? [] : ['{id}']), ...action].join('/')
    const operation = `${method} /${place}`
    if (isOperation(operation)) return answers[operation]({ ...asked, id: id ?? '' })
    throw new OctroiError('unknown_path', `There is no ${method} ${path.slice(0, 200)} here.`)
  }

  return async (caller: Caller, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const path = (incoming.url ?? '').split('?')[0] ?? ''
    const method = incoming.method ?? ''
    const read = async () => parseBody(await readBody(incoming, parts.bounds))
    const { status, body } = await answerTo({ method, path }, { caller, body: read })
    if (outgoing.destroyed) return
    const text = JSON.stringify(body)
    outgoing.writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    })
    outgoing.end(text)
  }
}

/** What is asked: by whom, of what id where one is in the path, with what body. */
type Asked = { readonly caller: Caller; readonly id: string; readonly body: () => Promise<unknown> }

type Answer = { readonly status: number; readonly body: unknown }

const isOperation = (asked: string): asked is DataOperation => Object.hasOwn(dataOperations, asked)

const created = (done: Done): Answer => ({ ...ok(done), status: done.repeated ? 200 : 201 })

const ok = ({ life, repeated }: Done): Answer => ({ status: 200, body: { ...shownLife(life), repeated } })

/** Quotes a request as `reserve` would hold it, with all limits that are about it. */
const quoted = async (
  parts: Parts,
  upstreams: readonly Upstream[],
  caller: Caller,
  asked: ReturnType<typeof readQuoteAsked>,
) => {
  const { request, endpoint } = asked
  const place = { upstream: upstreamOf(upstreams, asked.provider), endpoint }
  const found = await quoteRequest(parts, place, { caller, id: 'quote', request })
  const { call } = found
  const at = parts.clock.now()
  const askedWith = (quote: typeof found.quoted) => ({
    ...{ subject: call, at, most: quote.most, quote, currency: quote.currency },
  })
  const isTight = parts.admission.look(askedWith(found.quoted))?.reason !== 'exceeded'
  const quote = isTight ? found.quoted : ((await found.tighten()) ?? found.quoted)
  const refused = parts.admission.look(askedWith(quote))
  const refusal = refused === null ? null : limitRefusal(call, quote, refused, at, found.clamp)
  const clamp = refused?.action === 'clamp' ? found.clamp() : null
  const lowered = clamp && lowerToFit(clamp, (less) => parts.admission.look(askedWith(less)) === null)
  return {
    ...{ provider: call.provider, endpoint, model: call.model, at: formatInstant(at) },
    currency: quote.currency,
    ...{ least: money(quote.least), most: money(quote.most), pricedMost: formatPicos(quote.pricedMost) },
    ...{ usage: quote.usage, reasons: quote.reasons },
    fits: refusal === null,
    refusal: refusal && { code: refusal.code, message: refusal.message, ...refusal.details },
    lowered: lowered && {
      limit: toldLowered(lowered),
      outputTokens: lowered.outputTokens,
      most: money(lowered.quote.most),
    },
    limits: parts.admission.about(askedWith(quote)).map((state) => ({
      ...shownLimit(state),
      action: state.action,
      asked: state.asked === null ? null : formatAmount(state.measure, state.asked),
      fits: state.fits,
    })),
  }
}

const money = (amount: Picos | null): string | null => (amount === null ? null : formatPicos(amount))

/** A call as it stands in the ledger. */
const shownLife = ({ reserved, ends }: CallLife) => {
  const { call, most, currency, holds, leaseUntil } = reserved
  const last = ends.at(-1)
  const settled = last !== undefined && 'charges' in last ? last : null
  const spent = settled?.charges.reduce((sum, { amount }) => sum + amount, 0n) ?? null
  return {
    id: call.id,
    status: last === undefined ? 'reserved' : settled === null ? last.kind : 'settled',
    ...{ provider: call.provider, endpoint: call.endpoint, model: settled?.model ?? call.model },
    ...{ currency, most: money(most), leaseUntil: formatInstant(leaseUntil) },
    holds: holds.map(({ limit, counter, measure = 'cost' as const, amount, windowStart }) => ({
      ...{ limit, ...(counter !== undefined && { counter: JSON.parse(counter) }), measure },
      ...{ amount: formatAmount(measure, amount), windowStart: formatInstant(windowStart) },
    })),
    ...(settled !== null && {
      cost: money(settled.unpriced.length === 0 ? spent : null),
      pricedTotal: money(spent),
      overMost: money(most !== null && spent !== null && spent > most ? spent - most : 0n),
      unpriced: settled.unpriced.map(({ meter, code, message }) => ({ meter, code, message })),
      ...{ basis: settled.basis, note: settled.note },
    }),
  }
}
