import { parseMeter } from '../usage/meter.ts'
import { exactColumn, priceParts, readCharge, readUnpriced, unpricedText } from './charge-rows.ts'
import { amountColumn, number, parseQuantity, quantityText, text, textOrNull } from './columns.ts'
import type { Connection, Row, SqlValue } from './database.ts'
import type { ClosedPeriod, Imported, Reported } from './imported.ts'
import { nameId, nameParts } from './names.ts'
import { jsonColumn, ownerId, partText, readOwner } from './owners.ts'

/** How imported lines and closed periods lie in rows. */

/** A line as it is written: its columns, without its place, and those of its charges; and the ids of who pays for what. */
export type LineRows = {
  readonly owner: SqlValue
  readonly service: SqlValue
  readonly columns: readonly SqlValue[]
  readonly charges: readonly (readonly SqlValue[])[]
}

/** Throws `bad_number` for a quantity or an amount that the ledger does not take. */
export const lineRows = (connection: Connection, line: Imported): LineRows => {
  const { provider, unpriced } = line
  const { owner, service } = idsOf(connection, line)
  const source = [line.importer, line.account, line.role, provider]
  return {
    ...{ owner, service },
    columns: [
      line.lineId,
      owner,
      service,
      line.owner.endUser,
      jsonColumn(inOrder(line.owner.tags)),
      line.tier,
      nameId(connection, 'book', [line.bookVersion]),
      unpriced.length === 0 ? null : unpricedText(unpriced),
      line.from,
      line.to,
      nameId(connection, 'source', source),
      reportedText(line.reported),
      line.calls,
    ],
    charges: line.charges.map((charge) => [
      nameId(connection, 'price', priceParts(charge)),
      quantityText(charge.quantity),
      amountColumn(charge.amount),
      exactColumn(charge),
    ]),
  }
}

/** The ids of who pays for what. */
export const idsOf = (
  connection: Connection,
  { owner, provider, model, endpoint, currency }: Imported,
): Pick<LineRows, 'owner' | 'service'> => ({
  owner: ownerId(connection, owner),
  service: nameId(connection, 'service', [provider, model, endpoint, currency]),
})

/** So that the same tags are the same text. */
const inOrder = (tags: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1)))

const lineColumns =
  'call_id, owner, service, end_user, tags, tier, book, unpriced, from_at, to_at, source, evidence, calls'.split(
    ', ',
  )

/** True when a row of entries, with the rows of its charges in order, says what a line says. */
export const isSameLine = (row: Row, charges: readonly Row[], line: LineRows): boolean =>
  line.columns.every((value, index) => isSame(row[lineColumns[index] ?? ''], value)) &&
  line.charges.length === charges.length &&
  line.charges.every((values, position) =>
    values.every((value, index) => isSame(charges[position]?.[chargeColumns[index] ?? ''], value)),
  )

const chargeColumns = ['price', 'quantity', 'amount', 'exact']

/** Whole numbers are read back as bigints. */
const isSame = (stored: SqlValue | undefined, value: SqlValue): boolean =>
  stored === value || (value !== null && stored !== null && `${stored}` === `${value}`)

/** A line to append: at which place, when it came, and what it corrects. */
export type Appended = {
  readonly sequence: number
  readonly at: number
  readonly corrects: number | null
  readonly rows: LineRows
}

/** Appends lines, in statements that are few. */
export const insertLines = (connection: Connection, lines: readonly Appended[]): void => {
  const entries = lines.map(({ sequence, at, corrects, rows }) => [
    sequence,
    'imported',
    at,
    corrects,
    ...rows.columns,
  ])
  insertAll(connection, `entries (sequence, kind, at, corrects, ${lineColumns.join()})`, entries)
  const charges = lines.flatMap(({ sequence, rows }) =>
    rows.charges.map((charge, position) => [sequence, position, ...charge]),
  )
  insertAll(connection, 'charges', charges)
}

const insertAll = (connection: Connection, into: string, rows: readonly (readonly SqlValue[])[]): void => {
  for (let from = 0; from < rows.length; from += rowsPerStatement) {
    const some = rows.slice(from, from + rowsPerStatement)
    const marks = `(${'?,'.repeat(rows[0]?.length ?? 0).slice(0, -1)}),`.repeat(some.length).slice(0, -1)
    connection.run(`INSERT INTO ${into} VALUES ${marks}`, ...some.flat())
  }
}

const rowsPerStatement = 25

const reportedText = ({ usage, amount, requests, lineItem, project, apiKey }: Reported): string =>
  JSON.stringify({
    ...(usage.length > 0 && { usage: usage.map(({ meter, quantity }) => [meter, quantityText(quantity)]) }),
    ...(amount !== null && { amount: `${amountColumn(amount)}` }),
    ...(requests !== null && { requests }),
    ...(lineItem !== null && { lineItem }),
    ...(project !== null && { project }),
    ...(apiKey !== null && { apiKey }),
  } satisfies ReportedText)

type ReportedText = Partial<Record<'amount' | 'lineItem' | 'project' | 'apiKey', string>> & {
  readonly usage?: readonly (readonly string[])[]
  readonly requests?: number
}

const readReported = (json: string): Reported => {
  const { usage = [], amount, requests, lineItem, project, apiKey }: ReportedText = JSON.parse(json)
  return {
    usage: usage.map(([meter, quantity]) => ({
      meter: parseMeter(meter ?? ''),
      quantity: parseQuantity(quantity),
    })),
    amount: amount === undefined ? null : BigInt(amount),
    requests: requests ?? null,
    lineItem: lineItem ?? null,
    project: project ?? null,
    apiKey: apiKey ?? null,
  }
}

/** A line as it was written. */
export const readLine = (row: Row, charges: readonly Row[]): Imported => {
  const [provider = null, model = null, endpoint = null, currency = null] = nameParts(
    row['service_name'],
  ).map(partText)
  const [importer = null, account = null, role = null] = nameParts(row['source_name']).map(partText)
  return {
    lineId: text(row['call_id']),
    at: number(row['at']),
    importer: importer ?? '',
    account: account ?? '',
    role: role === 'bill' ? 'bill' : 'usage',
    from: number(row['from_at']),
    to: number(row['to_at']),
    owner: readOwner(row),
    provider: provider ?? '',
    model,
    endpoint: endpoint ?? '',
    tier: textOrNull(row['tier']),
    currency: currency ?? '',
    reported: readReported(text(row['evidence'])),
    charges: charges.map(readCharge),
    unpriced: readUnpriced(textOrNull(row['unpriced'])),
    calls: number(row['calls']),
    bookVersion: String(nameParts(row['book_name'])[0]),
  }
}

/** The columns of a closed period. */
export const closedColumns = ({ at, provider, from, to, totals, note }: ClosedPeriod) => ({
  call_id: '',
  at,
  note,
  from_at: from,
  to_at: to,
  evidence: JSON.stringify({
    provider,
    totals: totals.map(({ currency, amount }) => ({ currency, amount: `${amountColumn(amount)}` })),
  } satisfies ClosedText),
})

type ClosedText = {
  readonly provider: string | null
  readonly totals: readonly { readonly currency: string; readonly amount: string }[]
}

/** A closed period as it was written. */
export const readClosedPeriod = (row: Row): ClosedPeriod => {
  const { provider, totals }: ClosedText = JSON.parse(text(row['evidence']))
  return {
    at: number(row['at']),
    provider,
    from: number(row['from_at']),
    to: number(row['to_at']),
    totals: totals.map(({ currency, amount }) => ({ currency, amount: BigInt(amount) })),
    note: textOrNull(row['note']),
  }
}
