import { z } from 'zod'
import { OctroiError } from '../../errors.ts'
import { type Picos, parsePicos } from '../../money/money.ts'
import { parseDecimal, type Rational } from '../../money/rational.ts'
import { parseMeter } from '../../usage/meter.ts'
import { exactQuantity, toQuantity, type Usage } from '../../usage/usage.ts'

/** What applications ask of the data port about calls that do not pass through it. */

const id = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'write 1 to 64 letters, digits, . _ or -')
const name = z.string().min(1).max(200)
const endpoint = z.string().regex(/^[a-z0-9-]{1,64}$/)
const body = z.record(z.string(), z.unknown())
const amount = z.string().regex(/^\d{1,15}(\.\d{1,12})?$/, 'write a decimal in quotes, at most 12 decimals')
const usage = z
  .record(z.string().max(64), z.union([z.number().min(0), z.string().max(40)]))
  .refine((given) => Object.keys(given).length <= 50, 'at most 50 meters')
  .meta({ maxProperties: 50 })
const leaseSeconds = z.int().min(1).max(86_400)

const place = { provider: name.optional(), endpoint }
const stated = { ...place, model: name, tier: name.optional(), endUser: name.optional() }
const spent = {
  ...{ usage: usage.optional(), reply: body.optional(), amount: amount.optional() },
  ...{ model: name.optional(), tier: name.optional() },
}
/** The bodies as they are read here. That exactly one way to say it is taken is told in `oneOf`, and checked below. */
export const quoteAsked = z.strictObject({ ...place, request: body })
export const reservationAsked = z
  .strictObject({
    ...{ ...place, id: id.optional(), leaseSeconds: leaseSeconds.default(600) },
    ...{ request: body.optional(), model: name.optional(), tier: name.optional(), endUser: name.optional() },
    ...{ usage: usage.optional(), most: amount.optional() },
  })
  .meta({
    oneOf: [{ required: ['request'] }, { required: ['usage', 'model'] }, { required: ['most', 'model'] }],
  })
const oneSpent = {
  oneOf: [{ required: ['reply'] }, { anyOf: [{ required: ['usage'] }, { required: ['amount'] }] }],
}
export const settlementAsked = z.strictObject(spent).meta(oneSpent)
export const usageAsked = z.strictObject({ ...spent, ...stated, id: id.optional() }).meta(oneSpent)
export const releaseAsked = z.strictObject({ reason: z.string().min(1).max(200) })
export const renewalAsked = z.strictObject({ leaseSeconds })

/** Where a call goes; the first configured provider where none is named. */
export type PlaceAsked = { readonly provider?: string | undefined; readonly endpoint: string }

/** A call as told, where no request is shown: `usage` is the most it can use, `most` the most it can cost. */
export type StatedCall = {
  readonly model: string
  readonly tier: string | null
  readonly endUser: string | null
}

/** What a call is held at: the bounds of its request, of a usage, or an amount. */
export type ToHold =
  | { readonly by: 'request'; readonly request: Readonly<Record<string, unknown>> }
  | ({ readonly by: 'usage'; readonly usage: Usage } & StatedCall)
  | ({ readonly by: 'most'; readonly most: Picos } & StatedCall)

/** What a call came to: what its reply says, a usage, or an amount, with which a usage may stand. */
export type Spent = { readonly model: string | null; readonly tier: string | null } & (
  | { readonly by: 'reply'; readonly reply: Readonly<Record<string, unknown>> }
  | { readonly by: 'usage'; readonly usage: Usage }
  | { readonly by: 'amount'; readonly amount: Rational; readonly usage: Usage | null }
)

/** Reads what is to be quoted. Throws `bad_input` naming the field, as all of these do. */
export const readQuoteAsked = (json: unknown): PlaceAsked & { request: Record<string, unknown> } =>
  parse(quoteAsked, json)

/** Reads what is to be held. */
export const readReservationAsked = (json: unknown) => {
  const { request, usage: given, most, model, tier, endUser, ...rest } = parse(reservationAsked, json)
  return { ...rest, hold: toHold({ request, usage: given, most, model, tier, endUser }) }
}

/** Reads what a reserved call came to. */
export const readSpent = (json: unknown): Spent => spentOf(parse(settlementAsked, json))

/** Reads a call that was never reserved and what it came to. */
export const readUsageAsked = (json: unknown) => {
  const asked = parse(usageAsked, json)
  const { provider, endpoint: wire, model, tier = null, endUser = null } = asked
  return { id: asked.id, provider, endpoint: wire, call: { model, tier, endUser }, spent: spentOf(asked) }
}

/** Reads why a call is given up. */
export const readReleaseAsked = (json: unknown): string => parse(releaseAsked, json).reason

/** Reads for how long a lease is renewed, in seconds. */
export const readRenewalAsked = (json: unknown): number => parse(renewalAsked, json).leaseSeconds

const toHold = (
  asked: Omit<z.infer<typeof reservationAsked>, 'id' | 'leaseSeconds' | 'provider' | 'endpoint'>,
): ToHold => {
  const { request, usage: given, most, model, tier = null, endUser = null } = asked
  if (exactlyOne(request, given, most, 'request, usage or most') && request !== undefined) {
    if (model === undefined && asked.tier === undefined && asked.endUser === undefined) {
      return { by: 'request', request }
    }
    throw bad('model, tier and endUser stand in the request, where there is one')
  }
  if (model === undefined) throw bad('model: name it, where there is no request')
  return given !== undefined
    ? { by: 'usage', usage: usageOf(given), model, tier, endUser }
    : { by: 'most', most: parsePicos(most ?? ''), model, tier, endUser }
}

const spentOf = (asked: z.infer<typeof settlementAsked>): Spent => {
  const { reply, usage: given, amount: sum, model = null, tier = null } = asked
  exactlyOne(reply, sum ?? given, undefined, 'reply, usage or amount')
  if (reply !== undefined) return { by: 'reply', reply, model, tier }
  const used = given === undefined ? null : usageOf(given)
  if (sum !== undefined) return { by: 'amount', amount: parseDecimal(sum), usage: used, model, tier }
  return { by: 'usage', usage: used ?? {}, model, tier }
}

/** True; throws where not exactly one is there. */
const exactlyOne = (first: unknown, second: unknown, third: unknown, names: string): true => {
  if ([first, second, third].filter((value) => value !== undefined).length === 1) return true
  throw bad(`Say exactly one of ${names}`)
}

const usageOf = (given: Readonly<Record<string, number | string>>): Usage =>
  Object.fromEntries(
    Object.entries(given).map(([written, quantity]) => {
      const meter = parseMeter(written)
      const exact = toQuantity(parseDecimal(String(quantity)))
      exactQuantity(meter, exact)
      return [meter, exact]
    }),
  )

const bad = (message: string): OctroiError => new OctroiError('bad_input', `${message}.`)

const parse = <Value>(schema: z.ZodType<Value>, json: unknown): Value => {
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw bad(`${issue?.path.join('.') || 'the body'}: ${issue?.message}`)
}
