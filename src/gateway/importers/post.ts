import { OctroiError } from '../../errors.ts'
import type { AccrualOwner } from '../../ledger/accrual.ts'
import { contentOf } from '../../ledger/content.ts'
import type { Database } from '../../ledger/database.ts'
import type { ClosedPeriod, Imported, ImportOutcome } from '../../ledger/imported.ts'
import { type ImportedRow, readClosed, readImported, readSpend } from '../../ledger/reading.ts'
import type { PriceBook } from '../../pricing/price-book.ts'
import { formatInstant, type Instant } from '../../time.ts'
import { billed, type PricedLine } from './billed.ts'
import { type Gathered, lineIdOf } from './gather.ts'
import { postedAmount } from './line.ts'
import { createPassed, type Rest, restsOf } from './passed.ts'
import type { ReadReport } from './read.ts'

/** Whose something is at the vendor, by the vendor's own id of a project, workspace or key. */
export type Owners = Readonly<
  Record<string, Partial<Pick<AccrualOwner, 'organization' | 'team' | 'project' | 'environment'>>>
>

/** What an import is about. `pricesFrom`: the provider whose prices hold where the provider has none of its own. */
export type ImportAsked = {
  readonly importer: string
  readonly role: 'usage' | 'bill'
  readonly account: string
  readonly pricesFrom: string | null
  readonly owners: Owners
  readonly at: Instant
}

/** A line to post, and what of it did not pass the gateway. */
export type PlannedLine = {
  readonly imported: Imported
  readonly gathered: Gathered
  readonly rest: Rest | null
}

/** What an import writes. `withdrawn`: lines that stand and are not reported any more. */
export type ImportPlan = {
  readonly lines: readonly PlannedLine[]
  readonly withdrawn: readonly Imported[]
  /** What the ledger will say of it, where nobody writes in between. */
  readonly outcome: () => ImportOutcome
}

const monthMs = 31 * 86_400_000

/** Holds a report against a ledger (null: an empty one) and says what is to be written: of each line the whole as
 * evidence, and as charges what did not pass the gateway. Throws `bad_input` where another importer has posted the
 * same account's usage of the same time. */
export const planImport = async (
  report: ReadReport,
  asked: ImportAsked,
  { database, book }: { readonly database: Database | null; readonly book: PriceBook },
): Promise<ImportPlan> => {
  const { lines, covered } = report
  if (covered === null)
    return { lines: [], withdrawn: [], outcome: () => ({ written: 0, repeated: 0, replaced: 0 }) }
  let to = covered.to
  for (const line of lines) if (line.to > to) to = line.to
  const period = { from: covered.from, to }
  const rests =
    asked.role === 'bill'
      ? null
      : restsOf(lines, createPassed(database === null ? [] : await readSpend(database, period)))
  const planned = lines.map((gathered, index): PlannedLine => {
    const rest = rests?.[index] ?? null
    return { gathered, rest, imported: importedOf(gathered, rest, asked, book) }
  })
  const standing = await standingLines(database, asked, period)
  if (asked.role === 'usage') refuseTwice(planned, standing.ofOthers, asked)
  const plan = { lines: planned, ...against(planned, standing.own, asked, report) }
  if (database !== null) refuseClosed(plan, standing.own, await readClosed(database), asked)
  return plan
}

const importedOf = (line: Gathered, rest: Rest | null, asked: ImportAsked, book: PriceBook): Imported => {
  const { importer, account, role, at, pricesFrom } = asked
  const { charges, unpriced } =
    rest === null
      ? { charges: [], unpriced: [] }
      : billed({ line, rest, pricesFrom: pricesFrom ?? line.provider } satisfies PricedLine, book)
  return {
    lineId: lineIdOf(importer, account, line.key),
    ...{ at, importer, account, role },
    ...{ from: line.from, to: line.to },
    owner: ownerOf(line, asked.owners),
    provider: line.provider,
    model: line.model,
    endpoint: line.endpoint,
    tier: line.tier,
    currency: line.currency,
    reported: {
      usage: [...line.usage].map(([meter, quantity]) => ({ meter, quantity })),
      amount: line.amount === null ? null : postedAmount(line.amount),
      requests: line.requests,
      lineItem: line.lineItem,
      project: line.project,
      apiKey: line.apiKey,
    },
    ...{ charges, unpriced },
    calls: rest?.requests ?? 0,
    bookVersion: book.version,
  }
}

/** Of a key, or else of its project; where neither is mapped, of whom the report says, or of nobody. */
const ownerOf = ({ apiKey, project, owner }: Gathered, owners: Owners): AccrualOwner => {
  const found =
    (apiKey === null ? undefined : own(owners, apiKey)) ??
    (project === null ? undefined : own(owners, project))
  const nobody = { organization: null, team: null, project: null, environment: null }
  return { key: null, endUser: null, tags: {}, ...nobody, ...owner, ...found }
}

const own = (owners: Owners, id: string) => (Object.hasOwn(owners, id) ? owners[id] : undefined)

type Standing = { readonly own: ReadonlyMap<string, ImportedRow>; readonly ofOthers: readonly ImportedRow[] }

const standingLines = async (
  database: Database | null,
  { importer, account }: ImportAsked,
  { from, to }: { readonly from: Instant; readonly to: Instant },
): Promise<Standing> => {
  const [own, ofOthers] = [new Map<string, ImportedRow>(), [] as ImportedRow[]]
  if (database === null) return { own, ofOthers }
  for await (const page of readImported(database, { from: from - monthMs, to, account })) {
    for (const row of page) {
      if (row.importer === importer) {
        if (row.from >= from) own.set(row.lineId, row)
      } else if (row.charges.length > 0 && row.to > from) ofOthers.push(row)
    }
  }
  return { own, ofOthers }
}

/** Usage that two importers post of one account would count twice. */
const refuseTwice = (
  planned: readonly PlannedLine[],
  ofOthers: readonly ImportedRow[],
  { account }: ImportAsked,
): void => {
  if (ofOthers.length === 0) return
  const ofCalls = planned.filter(({ gathered }) => gathered.ofCalls)
  const providers = new Map(ofCalls.map(({ gathered }) => [gathered.provider, gathered]))
  const twice = ofOthers.find((row) => providers.has(row.provider))
  if (twice === undefined) return
  throw new OctroiError(
    'bad_input',
    `The usage of account "${account}" at ${twice.provider} from ${formatInstant(twice.from)} to ${formatInstant(twice.to)} is in the ledger already, imported by ${twice.importer}: it would count twice. Import it the same way again, or another account's under its own --account.`,
  )
}

/** What is closed stays as it is: nothing of an import is written where a line would change it. */
const refuseClosed = (
  { lines, withdrawn }: Pick<ImportPlan, 'lines' | 'withdrawn'>,
  standing: ReadonlyMap<string, ImportedRow>,
  closed: readonly ClosedPeriod[],
  { at }: ImportAsked,
): void => {
  if (closed.length === 0) return
  for (const line of [...lines.map(({ imported }) => imported), ...withdrawn]) {
    const period = closed.find(
      ({ provider, from, to }) =>
        from < line.to && line.from < to && (provider === null || provider === line.provider),
    )
    const before = period === undefined ? undefined : standing.get(line.lineId)
    if (period === undefined || (before !== undefined && isSame(before, line, at))) continue
    throw new OctroiError(
      'period_closed',
      `The report changes ${line.model ?? line.endpoint} of ${line.provider} from ${formatInstant(line.from)} to ${formatInstant(line.to)}, and the period from ${formatInstant(period.from)} to ${formatInstant(period.to)} is closed. Nothing was written. Import from ${formatInstant(period.to)} on.`,
    )
  }
}

/** What becomes of lines against those that stand: in a period that is reported anew, what is reported no more is
 * withdrawn. */
const against = (
  planned: readonly PlannedLine[],
  standing: ReadonlyMap<string, ImportedRow>,
  { at }: ImportAsked,
  { covered }: ReadReport,
): Pick<ImportPlan, 'withdrawn' | 'outcome'> => {
  const told = new Set(planned.map(({ imported }) => imported.lineId))
  const isCovered = ({ from, endpoint }: ImportedRow): boolean =>
    covered !== null &&
    from >= covered.from &&
    from < covered.to &&
    (covered.endpoints === null || covered.endpoints.has(endpoint))
  const gone = [...standing.values()].filter(
    (row) => !told.has(row.lineId) && isCovered(row) && !isNothing(row),
  )
  return {
    withdrawn: gone.map((row) => withdrawal(row, at)),
    outcome: () => foreseen(planned, standing, { at, withdrawn: gone.length }),
  }
}

const foreseen = (
  planned: readonly PlannedLine[],
  standing: ReadonlyMap<string, ImportedRow>,
  { at, withdrawn }: { readonly at: Instant; readonly withdrawn: number },
): ImportOutcome => {
  const outcome = { written: 0, repeated: 0, replaced: withdrawn }
  for (const { imported } of planned) {
    const before = standing.get(imported.lineId)
    if (before === undefined) outcome.written += 1
    else if (isSame(before, imported, at)) outcome.repeated += 1
    else outcome.replaced += 1
  }
  return outcome
}

/** True where a line says what another says, whenever either was imported. */
const isSame = (before: ImportedRow, line: Imported, at: Instant): boolean =>
  contentOf({ ...before, at }) === contentOf({ ...line, at })

const isNothing = ({ reported, charges, calls }: ImportedRow): boolean =>
  reported.usage.length === 0 &&
  reported.amount === null &&
  reported.requests === null &&
  charges.length === 0 &&
  calls === 0

const withdrawal = (row: ImportedRow, at: Instant): Imported => {
  const { kind: _kind, sequence: _sequence, corrects: _corrects, ...line } = row
  return {
    ...line,
    at,
    reported: { usage: [], amount: null, requests: null, lineItem: null, project: null, apiKey: null },
    ...{ charges: [], unpriced: [], calls: 0 },
  }
}
