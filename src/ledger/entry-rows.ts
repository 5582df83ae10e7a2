import type { Hold } from '../limits/hold.ts'
import { divide, format, multiply, parseDecimal, type Rational, rational } from '../money/rational.ts'
import type { Charge, Unpriced } from '../pricing/price.ts'
import { parseMeter } from '../usage/meter.ts'
import {
  amount,
  amountColumn,
  number,
  numberOrNull,
  parseFraction,
  parseQuantity,
  quantityText,
  quantityValue,
  text,
  textOrNull,
} from './columns.ts'
import type { Connection, Row, SqlValue } from './database.ts'
import type { Basis, Call, LedgerEntry, Settlement, StoredEntry } from './entry.ts'
import { type NamePart, nameId, nameParts } from './names.ts'

/** Appends an entry with its charges or holds, and gives its sequence. */
export const insertEntry = (connection: Connection, entry: LedgerEntry, service: SqlValue = null): number => {
  switch (entry.kind) {
    case 'reserved':
      return insertReserved(connection, entry)
    case 'settled':
    case 'adjusted':
      return insertSettled(connection, entry, service)
    case 'released':
      return insertRow(connection, {
        ...ended(entry.kind, entry),
        note: entry.reason,
        corrects: entry.corrects,
      })
    case 'expired':
      return insertRow(connection, ended(entry.kind, entry))
  }
}

/** All entries of one call, in order. */
export const entriesOfCall = (connection: Connection, callId: string): readonly StoredEntry[] =>
  load(connection, connection.all(`${selectEntries} WHERE e.call_id = ? ORDER BY e.sequence`, callId))

/** The next entries of the whole ledger, in order. */
export const entriesAfter = (
  connection: Connection,
  { after, limit }: { readonly after: number; readonly limit: number },
): readonly StoredEntry[] =>
  load(
    connection,
    connection.all(`${selectEntries} WHERE e.sequence > ? ORDER BY e.sequence LIMIT ?`, after, limit),
  )

/** True when two writings of an entry say the same. */
export const isSameContent = (a: object, b: object): boolean => contentOf(a) === contentOf(b)

/** What an entry says, as text: without its kind and place, keys in order, numbers exact. What was measured of a
 * quantity that the vendor bills otherwise is not kept. */
export const contentOf = (entry: object): string => {
  const { kind, corrects, sequence, ...content } = entry as Record<string, unknown>
  return JSON.stringify(content, (key, value: unknown) => {
    if (key === 'measured') return undefined
    if (typeof value === 'bigint') return `${value}`
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    if (isRational(value)) {
      const { numerator, denominator } = rational(value.numerator, value.denominator)
      return denominator === 1n ? Number(numerator) : `${numerator}/${denominator}`
    }
    return Object.fromEntries(Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1)))
  })
}

const isRational = (value: object): value is Rational =>
  'numerator' in value && typeof value.numerator === 'bigint' && 'denominator' in value

type EntryColumns = Readonly<Record<string, SqlValue>>

const ended = (kind: string, { callId, at }: { callId: string; at: number }): EntryColumns => ({
  kind,
  call_id: callId,
  at,
})

const insertReserved = (
  connection: Connection,
  { call, currency, most, holds, leaseUntil }: LedgerEntry & { kind: 'reserved' },
): number => {
  const sequence = insertRow(connection, {
    kind: 'reserved',
    call_id: call.id,
    at: call.at,
    owner: nameId(connection, 'owner', [
      call.organization,
      call.team,
      call.project,
      call.environment,
      call.key,
    ]),
    service: nameId(connection, 'service', [call.provider, call.model, call.endpoint, currency]),
    end_user: call.endUser,
    conversation: call.conversation,
    tags: Object.keys(call.tags).length === 0 ? null : JSON.stringify(call.tags),
    most: most === null ? null : amountColumn(most),
    lease_until: leaseUntil,
  })
  insertHolds(connection, sequence, holds)
  return sequence
}

const insertHolds = (connection: Connection, sequence: number, holds: readonly Hold[]): void =>
  holds.forEach((hold, position) => {
    connection.run(
      'INSERT INTO holds VALUES (?, ?, ?, ?, ?)',
      sequence,
      position,
      nameId(connection, 'limit', [hold.limit]),
      hold.windowStart,
      amountColumn(hold.amount),
    )
  })

const insertSettled = (
  connection: Connection,
  entry: LedgerEntry & { kind: 'settled' | 'adjusted' },
  service: SqlValue,
): number => {
  const { resent, unpriced } = entry
  const sequence = insertRow(connection, {
    ...ended(entry.kind, entry),
    service,
    corrects: entry.kind === 'adjusted' ? entry.corrects : null,
    tier: entry.tier,
    basis: entry.basis,
    status: entry.status,
    note: entry.note,
    book: nameId(connection, 'book', [entry.bookVersion]),
    unpriced: unpriced.length === 0 ? null : unpricedText(unpriced),
    resent_tokens: resent?.tokens ?? null,
    resent_amount: resent === null ? null : amountColumn(resent.amount),
    resent_exact: resent === null ? null : Number(resent.exact),
  })
  entry.charges.forEach((charge, position) => {
    const exact = rational(charge.exact.numerator, charge.exact.denominator)
    connection.run(
      'INSERT INTO charges VALUES (?, ?, ?, ?, ?, ?)',
      sequence,
      position,
      nameId(connection, 'price', priceParts(charge)),
      quantityText(charge.quantity),
      amountColumn(charge.amount),
      format(exact) === format(plainExact(charge)) ? null : `${exact.numerator}/${exact.denominator}`,
    )
  })
  insertHolds(connection, sequence, entry.unresolved ?? [])
  return sequence
}

/** The columns of an entry, in the order in which `insertRow` binds them. */
const columns = [
  ...['kind', 'call_id', 'at', 'owner', 'service', 'end_user', 'conversation', 'tags', 'most', 'lease_until'],
  ...['corrects', 'tier', 'basis', 'status', 'note', 'book', 'unpriced'],
  ...['resent_tokens', 'resent_amount', 'resent_exact'],
]
const insertSql = `INSERT INTO entries (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
  RETURNING sequence`

const insertRow = (connection: Connection, values: EntryColumns): number =>
  number(connection.get(insertSql, ...columns.map((column) => values[column] ?? null))?.['sequence'])

const selectEntries = `
  SELECT e.*, o.name AS owner_name, s.name AS service_name, b.name AS book_name FROM entries e
  LEFT JOIN names o ON o.id = e.owner LEFT JOIN names s ON s.id = e.service LEFT JOIN names b ON b.id = e.book`

const load = (connection: Connection, rows: readonly Row[]): readonly StoredEntry[] => {
  if (rows.length === 0) return []
  const sequences = JSON.stringify(rows.map((row) => number(row['sequence'])))
  const holds = groupByEntry(
    connection.all(
      `SELECT h.*, n.name AS limit_name FROM holds h JOIN names n ON n.id = h."limit"
       WHERE h.entry IN (SELECT value FROM json_each(?)) ORDER BY h.entry, h.position`,
      sequences,
    ),
  )
  const charges = groupByEntry(
    connection.all(
      `SELECT c.*, n.name AS price_name FROM charges c JOIN names n ON n.id = c.price
       WHERE c.entry IN (SELECT value FROM json_each(?)) ORDER BY c.entry, c.position`,
      sequences,
    ),
  )
  return rows.map((row) => {
    const sequence = number(row['sequence'])
    const entry = readEntry(row, { holds: holds.get(sequence) ?? [], charges: charges.get(sequence) ?? [] })
    return { ...entry, sequence }
  })
}

const groupByEntry = (rows: readonly Row[]): ReadonlyMap<number, readonly Row[]> =>
  Map.groupBy(rows, (row) => number(row['entry']))

const readEntry = (
  row: Row,
  parts: { readonly holds: readonly Row[]; readonly charges: readonly Row[] },
): LedgerEntry => {
  const kind = text(row['kind'])
  const callId = text(row['call_id'])
  const at = number(row['at'])
  const corrects = numberOrNull(row['corrects'])
  if (kind === 'reserved') {
    return {
      kind,
      call: readCall(row),
      currency: String(nameParts(row['service_name'])[3]),
      most: row['most'] === null ? null : amount(row['most']),
      holds: parts.holds.map(readHold),
      leaseUntil: number(row['lease_until']),
    }
  }
  if (kind === 'released') return { kind, callId, at, reason: text(row['note']), corrects }
  if (kind === 'expired') return { kind, callId, at }
  const settlement = {
    ...readSettlement(row, parts.charges),
    ...(parts.holds.length > 0 && { unresolved: parts.holds.map(readHold) }),
  }
  return kind === 'settled'
    ? { kind, ...settlement }
    : { kind: 'adjusted', corrects: corrects ?? 0, ...settlement }
}

const readCall = (row: Row): Call => {
  const [organization = null, team = null, project = null, environment = null, key = null] = nameParts(
    row['owner_name'],
  ).map(partText)
  const [provider, model, endpoint] = nameParts(row['service_name']).map(String)
  return {
    id: text(row['call_id']),
    at: number(row['at']),
    provider: provider ?? '',
    model: model ?? '',
    endpoint: endpoint ?? '',
    key,
    organization,
    team,
    project,
    environment,
    endUser: textOrNull(row['end_user']),
    conversation: textOrNull(row['conversation']),
    tags: JSON.parse(textOrNull(row['tags']) ?? '{}'),
  }
}

const partText = (part: string | number | null): string | null => (part === null ? null : String(part))

const readHold = (row: Row): Hold => ({
  limit: String(nameParts(row['limit_name'])[0]),
  windowStart: number(row['window_start']),
  amount: amount(row['amount']),
})

const readSettlement = (row: Row, charges: readonly Row[]): Settlement => {
  const [, model, , currency] = nameParts(row['service_name'])
  const tokens = numberOrNull(row['resent_tokens'])
  return {
    callId: text(row['call_id']),
    at: number(row['at']),
    model: String(model),
    tier: textOrNull(row['tier']),
    basis: text(row['basis']) as Basis,
    currency: String(currency),
    charges: charges.map(readCharge),
    unpriced: readUnpriced(textOrNull(row['unpriced'])),
    resent:
      tokens === null
        ? null
        : { tokens, amount: amount(row['resent_amount']), exact: number(row['resent_exact']) === 1 },
    status: numberOrNull(row['status']),
    note: textOrNull(row['note']),
    bookVersion: String(nameParts(row['book_name'])[0]),
  }
}

/** The price of a charge as a name: its row and rate, and as JSON whatever else made the amount, where anything did. */
const priceParts = (charge: Charge): readonly NamePart[] => {
  const {
    price,
    meter,
    unitPrice,
    per,
    source,
    quantity: _q,
    measured: _m,
    exact: _e,
    amount: _a,
    ...more
  } = charge
  const parts = [price, meter, unitPrice, per, source]
  return Object.keys(more).length === 0 ? parts : [...parts, JSON.stringify(more)]
}

const readCharge = (row: Row): Charge => {
  const [price, meter, unitPrice, per, source, more = '{}'] = nameParts(row['price_name'])
  const charge = {
    meter: parseMeter(String(meter)),
    quantity: parseQuantity(row['quantity']),
    unitPrice: String(unitPrice),
    per: Number(per),
    amount: amount(row['amount']),
    price: String(price),
    source: String(source),
    ...(JSON.parse(String(more)) as Partial<Charge>),
  }
  const exact = textOrNull(row['exact'])
  return { ...charge, exact: exact === null ? plainExact(charge) : parseFraction(exact) }
}

/** Quantity x unit price / per: what a charge comes to where nothing multiplies it. */
const plainExact = ({ quantity, unitPrice, per }: Pick<Charge, 'quantity' | 'unitPrice' | 'per'>): Rational =>
  divide(multiply(quantityValue(quantity), parseDecimal(unitPrice)), rational(BigInt(per)))

const unpricedText = (unpriced: readonly Unpriced[]): string =>
  JSON.stringify(unpriced.map((each) => ({ ...each, quantity: quantityText(each.quantity) })))

const readUnpriced = (json: string | null): readonly Unpriced[] => {
  const written: readonly (Omit<Unpriced, 'quantity'> & { readonly quantity: string })[] = JSON.parse(
    json ?? '[]',
  )
  return written.map((each) => ({ ...each, quantity: parseQuantity(each.quantity) }))
}
