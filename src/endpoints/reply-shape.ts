import { type Rational, rational } from '../money/rational.ts'
import { compilePath, type Path, type ReadPath } from '../usage/path.ts'
import { readUsage, type UsageShape } from '../usage/read.ts'
import { type Json, textOf } from './json.ts'
import type { Portion, Reply, Stated } from './reply.ts'

/** Where a vendor's reply says what fixes its price: the first path that is there holds. */
export type ReplyShape = {
  readonly counters: UsageShape
  readonly usage: readonly Path[]
  readonly model: readonly Path[]
  readonly id: readonly Path[]
  readonly tier: readonly Path[]
  /** The vendor's words for tiers, in lower case, and the price list's, where they differ. */
  readonly tiers: Readonly<Record<string, string>>
  /** Where the vendor itself says what the call costs, in USD. */
  readonly stated: readonly Path[]
}

/** The places most wires have, as OpenAI named them. */
export const openaiPlaces: Omit<ReplyShape, 'counters'> = {
  usage: ['usage'],
  model: ['model'],
  id: ['id'],
  tier: ['service_tier'],
  tiers: { default: 'standard' },
  stated: [],
}

/** A reply that says nothing. */
export const emptyReply: Reply = {
  id: null,
  model: null,
  tier: null,
  attributes: {},
  usage: null,
  produced: [],
  apart: [],
  standing: [],
  stated: null,
  ended: true,
}

/** Makes the reader of a shape. */
export const shapeReader = (shape: ReplyShape): ((reply: Json) => Reply) => {
  const [usage, model, id, tier, stated] = [
    firstAt(shape.usage),
    firstAt(shape.model),
    firstAt(shape.id),
    firstAt(shape.tier),
    firstAt(shape.stated),
  ]
  return (reply) => ({
    ...emptyReply,
    id: textOf(id(reply)),
    model: textOf(model(reply)),
    tier: tierOf(textOf(tier(reply)), shape.tiers),
    usage: readUsage(usage(reply), shape.counters),
    stated: statedOf(stated(reply)),
  })
}

/** A portion of a reply from a report of its own; none where it says nothing. */
export const portionOf = (
  report: Json,
  shape: UsageShape,
  of: Partial<Omit<Portion, 'usage'>>,
): readonly Portion[] => {
  const usage = readUsage(report, shape)
  if (usage === null || (Object.keys(usage.usage).length === 0 && usage.problems.length === 0)) return []
  return [{ id: null, model: null, tier: null, attributes: {}, contextTokens: null, ...of, usage }]
}

/** Reads the first of several paths that is there. */
const firstAt = (paths: readonly Path[]): ((reply: Json) => Json) => {
  const reads: readonly ReadPath[] = paths.map(compilePath)
  return (reply) => {
    for (const read of reads) {
      const [value] = read(reply) ?? []
      if (value !== undefined) return value
    }
    return undefined
  }
}

const tierOf = (said: string | null, tiers: ReplyShape['tiers']): string | null => {
  if (said === null) return null
  const tier = said.toLowerCase()
  return Object.hasOwn(tiers, tier) ? (tiers[tier] ?? tier) : tier
}

const statedOf = (value: Json): Stated | null => {
  const amount = typeof value === 'number' ? amountOf(value) : null
  return amount === null ? null : { amount, currency: 'USD' }
}

/** A JSON number as the decimal its vendor wrote, which its shortest text is. */
const amountOf = (value: number): Rational | null => {
  const [, whole, fraction = '', exponent = '0'] =
    /^(\d{1,15})(?:\.(\d{1,20}))?(?:e-(\d{1,2}))?$/.exec(String(value)) ?? []
  if (whole === undefined) return null
  return rational(BigInt(whole + fraction), 10n ** BigInt(fraction.length + Number(exponent)))
}
