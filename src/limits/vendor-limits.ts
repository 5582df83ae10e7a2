import { OctroiError } from '../errors.ts'
import { compare, parseDecimal, type Rational } from '../money/rational.ts'
import { type Instant, parseInstant } from '../time.ts'
import { limitsFileSchema } from './vendor-limits-schema.ts'
import { tierNames, type VendorTier } from './vendor-tier.ts'

/** Who says so: `asOf` is a year, a month or a day, as exact as the source is. */
type Stated = {
  readonly source: string
  readonly asOf: string
  readonly confidence: 'high' | 'medium' | 'low'
  readonly note: string | null
}

type Period = { readonly from: Instant; readonly to: Instant | null }

/** The limits of a model in a tier, half-open in time. Null: no such limit is known. */
export type VendorLimit = Stated &
  Period & {
    readonly provider: string
    /** Whose limit it is: the aliases and the tuned models of a model draw on the same one. */
    readonly model: string
    readonly aliases: readonly string[]
    readonly tiers: readonly VendorTier[]
    readonly requestsPerMinute: number | null
    readonly requestsPerDay: number | null
    readonly tokensPerMinute: number | null
    readonly tokensPerDay: number | null
    readonly imagesPerMinute: number | null
  }

/** What lifts an account into a tier, and what it may spend in a month there; in US dollars. */
export type VendorTierRule = Stated &
  Period & {
    readonly provider: string
    readonly tier: VendorTier
    readonly paid: Rational
    readonly daysSinceFirstPayment: number
    readonly monthlyCap: Rational
  }

/** The open files of limits. */
export type VendorLimits = {
  readonly limits: readonly VendorLimit[]
  readonly tiers: readonly VendorTierRule[]
  /** What stands around the name of the base in that of a tuned model, by provider. */
  readonly tuned: ReadonlyMap<string, { readonly before: string; readonly after: string }>
}

/** Opens the files of `prices/limits/`, each as parsed from JSON (the README there has the format). Throws
 * `bad_limit_row` naming the file by its provider, and the row and field that cannot be used. */
export const openVendorLimits = (files: readonly unknown[]): VendorLimits => {
  const read = files.map(readFile)
  const limits = read.flatMap((file) => file.limits)
  const tiers = read.flatMap((file) => file.tiers)
  for (const [name, rows] of Map.groupBy(limits.flatMap(named), ({ name }) => name)) {
    refuseOverlap(
      name,
      rows.map(({ row }) => row),
    )
  }
  for (const [name, rows] of Map.groupBy(tiers, ({ provider, tier }) => `${provider}, tier ${tier}`)) {
    refuseOverlap(name, rows)
  }
  return { limits, tiers, tuned: new Map(read.flatMap(({ tuned }) => tuned)) }
}

/** The limits of a model by its name, alias or, of a tuned model, its base, for an account of a tier at an
 * instant. Null when nothing is known: no neighbour stands in. */
export const findVendorLimits = (
  { limits, tuned }: VendorLimits,
  {
    provider,
    model,
    tier,
    at,
  }: {
    readonly provider: string
    readonly model: string
    readonly tier: VendorTier
    readonly at: Instant
  },
): VendorLimit | null => {
  const name = baseOf(model, tuned.get(provider))
  const found = limits.find(
    (row) =>
      row.provider === provider &&
      (row.model === name || row.aliases.includes(name)) &&
      row.tiers.includes(tier) &&
      holds(row, at),
  )
  return found ?? null
}

/** The tiers of a provider at an instant, lowest first. */
export const vendorTiers = (
  { tiers }: VendorLimits,
  { provider, at }: { readonly provider: string; readonly at: Instant },
): readonly VendorTierRule[] =>
  tiers
    .filter((rule) => rule.provider === provider && holds(rule, at))
    .sort((a, b) => tierNames.indexOf(a.tier) - tierNames.indexOf(b.tier))

const dayMs = 86_400_000

/** The highest tier whose terms an account meets: what it has paid altogether, in US dollars, and when it first
 * paid (null: never). `free` when it meets none. */
export const tierOf = (
  rules: readonly VendorTierRule[],
  account: { readonly paid: Rational; readonly firstPaymentAt: Instant | null; readonly at: Instant },
): VendorTier => {
  const days = account.firstPaymentAt === null ? 0 : (account.at - account.firstPaymentAt) / dayMs
  const met = rules.filter(
    (rule) => compare(account.paid, rule.paid) >= 0 && days >= rule.daysSinceFirstPayment,
  )
  return met.at(-1)?.tier ?? 'free'
}

const holds = ({ from, to }: Period, at: Instant): boolean =>
  from <= at && at < (to ?? Number.POSITIVE_INFINITY)

const baseOf = (model: string, rule: { before: string; after: string } | undefined): string => {
  if (rule === undefined || !model.startsWith(rule.before)) return model
  const end = model.indexOf(rule.after, rule.before.length)
  return end === -1 ? model : model.slice(rule.before.length, end)
}

/** A row under each name and tier it is found by. */
const named = (row: VendorLimit) =>
  [row.model, ...row.aliases].flatMap((model) =>
    row.tiers.map((tier) => ({ name: `${row.provider}, model ${model}, tier ${tier}`, row })),
  )

const refuseOverlap = (name: string, rows: readonly Period[]): void => {
  const sorted = [...rows].sort((a, b) => a.from - b.from)
  const twice = sorted.some(
    (row, index) => index > 0 && row.from < (sorted[index - 1]?.to ?? Number.POSITIVE_INFINITY),
  )
  if (twice) throw malformed(name, 'has two rows that hold at one time')
}

const readFile = (file: unknown) => {
  const parsed = limitsFileSchema.safeParse(file)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw malformed(issue?.path.join('.') ?? '?', issue?.message ?? 'cannot be read')
  }
  const { provider, sources, tunedModels, tiers, limits } = parsed.data
  const statedOf = (name: string, row: (typeof limits | typeof tiers)[number]): Stated & Period => {
    const source = Object.hasOwn(sources, row.source) ? sources[row.source] : undefined
    if (source === undefined) throw malformed(name, `names the source "${row.source}", which is not there`)
    const from = instant(name, row.effectiveFrom)
    const to = row.effectiveTo === null ? null : instant(name, row.effectiveTo)
    if (to !== null && to <= from) throw malformed(name, 'ends before it begins')
    const { confidence, note = null } = row
    return { source: source.text, asOf: source.asOf, confidence, note, from, to }
  }
  const [before = '', after = ''] = tunedModels?.pattern.split('{base}') ?? []
  return {
    tuned: tunedModels === undefined ? [] : [[provider, { before, after }] as const],
    tiers: tiers.map(
      (row): VendorTierRule => ({
        ...statedOf(`${provider}, tier ${row.tier}`, row),
        provider,
        tier: row.tier,
        paid: parseDecimal(row.paidUsd),
        daysSinceFirstPayment: row.daysSinceFirstPayment,
        monthlyCap: parseDecimal(row.monthlyCapUsd),
      }),
    ),
    limits: limits.map(
      (row): VendorLimit => ({
        ...statedOf(`${provider}, model ${row.model}`, row),
        provider,
        model: row.model,
        aliases: row.aliases ?? [],
        tiers: row.tiers,
        requestsPerMinute: row.requestsPerMinute ?? null,
        requestsPerDay: row.requestsPerDay ?? null,
        tokensPerMinute: row.tokensPerMinute ?? null,
        tokensPerDay: row.tokensPerDay ?? null,
        imagesPerMinute: row.imagesPerMinute ?? null,
      }),
    ),
  }
}

const instant = (name: string, day: string): Instant => {
  try {
    return parseInstant(day)
  } catch {
    throw malformed(name, `has "${day}", which is no day`)
  }
}

const malformed = (name: string, what: string): OctroiError =>
  new OctroiError('bad_limit_row', `The vendor limits cannot be used: ${name} ${what}.`)
