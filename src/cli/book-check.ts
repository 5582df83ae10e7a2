import type { Price } from '../pricing/price-book.ts'
import { formatInstant, type Instant } from '../time.ts'
import { counted, dayOf, pricesAt } from './book-prices.ts'
import type { Problem } from './book-problems.ts'
import { formatJson } from './json.ts'
import { formatTable } from './table.ts'

/** What the files have of one provider. `inForce` and all below it are of the prices in force: how sure they are, how
 * many have a first day that is not known, and on which days their sources were read, as far as these say. */
export type Coverage = {
  readonly provider: string
  readonly rows: number
  readonly models: number
  readonly inForce: number
  readonly high: number
  readonly medium: number
  readonly low: number
  readonly firstDayUnknown: number
  readonly oldestRead: string | null
  readonly newestRead: string | null
  readonly stale: number
}

/** Sources read longer ago than this are stale. */
const staleDays = 90

/** What prices cover, by provider. */
export const coverageOf = (prices: readonly Price[], at: Instant): readonly Coverage[] =>
  [...Map.groupBy(prices, ({ provider }) => provider)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([provider, own]) => {
      const inForce = pricesAt(own, at)
      const sure = (confidence: Price['confidence']): number =>
        inForce.filter((price) => price.confidence === confidence).length
      const read = inForce.flatMap((price) => readOn(price) ?? []).sort()
      return {
        provider,
        rows: own.length,
        models: new Set(own.map(({ model }) => model)).size,
        inForce: inForce.length,
        high: sure('high'),
        medium: sure('medium'),
        low: sure('low'),
        firstDayUnknown: inForce.filter(({ fromPrecision }) => fromPrecision !== 'exact').length,
        oldestRead: read[0] ?? null,
        newestRead: read.at(-1) ?? null,
        stale: read.filter((day) => at - Date.parse(day) > staleDays * dayMs).length,
      }
    })

const dayMs = 86_400_000

/** The latest day that a source names. */
const readOn = ({ source }: Price): string | undefined =>
  source
    .match(/\b20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])\b/g)
    ?.sort()
    .at(-1)

/** What a check found. */
export type Checked = {
  readonly files: readonly string[]
  readonly rows: number
  readonly at: Instant
  readonly problems: readonly Problem[]
  readonly coverage: readonly Coverage[]
}

/** Lays a check out for people: what is covered. */
export const formatCoverage = ({ files, rows, at, problems, coverage }: Checked, color: boolean): string => {
  const title = `${counted(rows, 'price')} in ${counted(files.length, 'file')}, on ${dayOf(at)}\n\n`
  const lines = coverage.map((each) =>
    [
      each.provider,
      each.rows,
      each.models,
      each.inForce,
      each.high,
      each.medium,
      each.low,
      each.firstDayUnknown,
      each.oldestRead ?? '-',
      each.newestRead ?? '-',
      each.stale,
    ].map(String),
  )
  const end = problems.length === 0 ? 'No problem was found.\n' : ''
  return `${title}${formatTable(columns, lines, { color })}\n${end}`
}

const columns = [
  { title: 'provider' },
  { title: 'rows', align: 'right' },
  { title: 'models', align: 'right' },
  { title: 'in force', align: 'right' },
  { title: 'high', align: 'right' },
  { title: 'medium', align: 'right' },
  { title: 'low', align: 'right' },
  { title: '~first day', align: 'right' },
  { title: 'read from' },
  { title: 'to' },
  { title: `older than ${staleDays} days`, align: 'right' },
] as const

/** A line for each problem: file, row, field, what is wrong. */
export const formatProblems = (problems: readonly Problem[]): string =>
  problems
    .map(({ file, row, field, what }) => {
      const place = [file, ...(row === null ? [] : [`row ${row}`]), ...(field === null ? [] : [field])]
      return `${place.join(': ')}: ${what}\n`
    })
    .join('')

/** A check as `octroi book check --json` prints it. */
export const formatCheckJson = ({ at, ...checked }: Checked): string =>
  `${formatJson({ schema: 'octroi-book-check/1', at: formatInstant(at), ...checked })}\n`
