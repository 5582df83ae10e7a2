import { z } from 'zod'
import { OctroiError } from '../errors.ts'
import { isDimension } from '../limits/pattern.ts'
import { compare, parseDecimal, type Rational, rational, subtract, zero } from '../money/rational.ts'
import { formatInstant, type Instant, parseInstant } from '../time.ts'
import { payingOrder } from './allocation-order.ts'

/** What a proportional rule measures receivers by: what they spent themselves, in the currency of what is split, or
 * their own tokens or requests. */
export type AllocationMeasure = 'cost' | 'tokens' | 'requests'

/** Whose charges: for each name the patterns of which one must fit, as in limits. */
export type AllocationMatch = readonly {
  readonly dimension: string
  readonly patterns: readonly string[]
}[]

/** Who bears charges. One without a match has none of its own: it is only given shares of pools. */
export type CostCentre = { readonly name: string; readonly match: AllocationMatch | null }

/** How a pool is shared: to whom, and by what. Percents are of the whole pool; what they leave is unallocated. */
export type SharingRule =
  | { readonly rule: 'even'; readonly among: readonly string[] }
  | { readonly rule: 'proportional'; readonly among: readonly string[]; readonly measure: AllocationMeasure }
  | { readonly rule: 'fixed'; readonly percents: readonly Percent[]; readonly rest: Rational }

type Percent = { readonly name: string; readonly percent: Rational }

/** Shared charges, and what other pools give it. */
export type SharedPool = {
  readonly name: string
  readonly match: AllocationMatch | null
  readonly share: SharingRule
}

/** The rules that hold from an instant on. Charges are matched in the order of the file; `order` names the pools so
 * that each comes after those that give to it. */
export type AllocationVersion = {
  readonly version: string
  readonly from: Instant
  readonly centres: readonly CostCentre[]
  readonly pools: readonly SharedPool[]
  readonly order: readonly string[]
}

/** Versions of the rules, the earliest first. */
export type AllocationRules = readonly AllocationVersion[]

const named = z.string().min(1).max(100)
const pattern = z.string().min(1).max(200)

const match = z
  .record(named, z.union([pattern, z.array(pattern).min(1).max(1_000)]))
  .describe(
    'Whose charges: patterns by organization, team, project, environment, key, provider, model, endpoint, endUser, conversation or tag:NAME. * stands for anything; of several patterns one must fit.',
  )

const percent = z
  .string('write the figure as a string, so that no digit is lost')
  .regex(/^\d{1,3}(\.\d{1,30})?$/, 'write a plain decimal such as "12.5"')

const share = z.discriminatedUnion('rule', [
  z.strictObject({ rule: z.literal('even'), among: z.array(named).min(1).max(1_000) }),
  z.strictObject({
    rule: z.literal('proportional'),
    measure: z.enum(['cost', 'tokens', 'requests']),
    among: z.array(named).min(1).max(1_000).optional().describe('All cost centres unless said.'),
  }),
  z.strictObject({
    rule: z.literal('fixed'),
    percent: z.record(named, percent).describe('At most 100 together; the rest is unallocated.'),
  }),
])

const version = z.strictObject({
  version: named.describe('As the report names it.'),
  from: z.string().describe('The whole hour from which these rules hold: a day or an instant.'),
  centres: z
    .array(z.strictObject({ name: named, match: match.optional() }))
    .min(1)
    .max(1_000),
  pools: z
    .array(z.strictObject({ name: named, match: match.optional(), share }))
    .max(1_000)
    .default([]),
})

/** The file of allocation rules, as zod reads it. */
export const allocationRulesSchema = z
  .strictObject({
    schema: z.literal('octroi-allocation/1'),
    versions: z.array(version).min(1).max(1_000),
  })
  .describe('Who bears what: cost centres, and how shared pools are split over them.')

type Written = z.output<typeof allocationRulesSchema>['versions'][number]

/** Reads allocation rules, as parsed from JSON. Throws `bad_input` that names the version, what is wrong and the
 * remedy: also where shares exceed 100 %, or pools give to each other in a circle. */
export const readAllocationRules = (json: unknown): AllocationRules => {
  const parsed = allocationRulesSchema.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new OctroiError(
      'bad_input',
      `Allocation rules: ${issue?.path.join('.') || 'the file'}: ${issue?.message}.`,
    )
  }
  const versions = parsed.data.versions.map(readVersion).sort((a, b) => a.from - b.from)
  versions.forEach((one, index) => {
    const next = versions[index + 1]
    if (next !== undefined && next.from === one.from) {
      throw wrong(
        one.version,
        `begins when "${next.version}" does, ${formatInstant(one.from)}. Give each its own instant`,
      )
    }
  })
  const names = versions.map(({ version }) => version)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw wrong(twice, 'is there twice. Name each version once')
  return versions
}

const readVersion = (written: Written): AllocationVersion => {
  const { version, centres, pools } = written
  const from = instantOf(written)
  const names = [...centres, ...pools].map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) {
    throw wrong(version, `has "${twice}" twice. Centres and pools have names of their own`)
  }
  const readMatch = ({ name, match }: { name: string; match?: Written['centres'][number]['match'] }) =>
    match === undefined ? null : matchOf(match, (what) => wrong(version, `"${name}": ${what}`))
  const all = centres.map(({ name }) => name)
  const read = pools.map((pool) => ({
    name: pool.name,
    match: readMatch(pool),
    share: sharingOf(pool, { version, all, names: new Set(names) }),
  }))
  const order = payingOrder(read.map(({ name, share }) => ({ name, to: receiversOf(share) })))
  if ('cycle' in order) {
    throw wrong(
      version,
      `has pools that give to each other in a circle: ${order.cycle.join(' -> ')}. Cut it at one of them`,
    )
  }
  return {
    ...{ version, from, pools: read, order: order.names },
    centres: centres.map((centre) => ({ name: centre.name, match: readMatch(centre) })),
  }
}

const instantOf = ({ version, from }: Written): Instant => {
  const at = parseInstant(from)
  if (at % 3_600_000 === 0) return at
  throw wrong(version, `from "${from}" is not a whole hour. Reports count whole hours`)
}

const matchOf = (
  written: Readonly<Record<string, string | readonly string[]>>,
  bad: (what: string) => OctroiError,
): AllocationMatch => {
  const entries = Object.entries(written)
  if (entries.length === 0)
    throw bad('match names nothing. Name a team, a project, a tag:NAME, or leave it out')
  return entries.map(([dimension, patterns]) => {
    if (!isDimension(dimension)) {
      throw bad(
        `match cannot be by "${dimension}". Use organization, team, project, environment, key, provider, model, endpoint, endUser, conversation or tag:NAME`,
      )
    }
    return { dimension, patterns: typeof patterns === 'string' ? [patterns] : patterns }
  })
}

type Known = {
  readonly version: string
  readonly all: readonly string[]
  readonly names: ReadonlySet<string>
}

const sharingOf = (pool: Written['pools'][number], { version, all, names }: Known): SharingRule => {
  const { name, share } = pool
  const bad = (what: string): OctroiError => wrong(version, `"${name}": ${what}`)
  const among = share.rule === 'fixed' ? Object.keys(share.percent) : (share.among ?? all)
  const stranger = among.find((receiver) => !names.has(receiver))
  if (stranger !== undefined) throw bad(`there is no cost centre or pool "${stranger}" to share with`)
  const twice = among.find((receiver, index) => among.indexOf(receiver) !== index)
  if (twice !== undefined) throw bad(`"${twice}" is there twice. Name each receiver once`)
  if (share.rule === 'even') return { rule: 'even', among }
  if (share.rule === 'proportional') return { rule: 'proportional', among, measure: share.measure }
  const percents = Object.entries(share.percent).map(([receiver, written]) => ({
    name: receiver,
    percent: parseDecimal(written),
  }))
  const rest = percents.reduce((left, { percent }) => subtract(left, percent), rational(100n))
  if (compare(rest, zero) < 0) {
    const sum = Object.entries(share.percent)
      .map(([receiver, written]) => `${receiver} ${written}`)
      .join(' + ')
    throw bad(`the shares are over 100 %: ${sum}. Lower them to 100 or less; what is left is unallocated`)
  }
  return { rule: 'fixed', percents, rest }
}

/** To whom a rule gives. */
export const receiversOf = (share: SharingRule): readonly string[] =>
  share.rule === 'fixed' ? share.percents.map(({ name }) => name) : share.among

const wrong = (version: string, what: string): OctroiError =>
  new OctroiError('bad_input', `Allocation rules: version "${version}" ${what}.`)
