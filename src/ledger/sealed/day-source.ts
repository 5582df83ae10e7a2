import { DatabaseSync } from 'node:sqlite'
import { OctroiError } from '../../errors.ts'
import { amount, text } from '../columns.ts'
import type { SqlValue } from '../database.ts'
import { nameParts } from '../names.ts'
import type { Day, EntryColumn } from '../seal.ts'
import {
  type FileCharge,
  type FileColumn,
  type FileHold,
  type FileRow,
  type FileValue,
  fileColumns,
} from './day-columns.ts'

/** The rows of a day as its file has them, read from the ledger's own file beside its writer. */
export type DaySource = {
  readonly columns: readonly FileColumn[]
  /** Those of calls made that day, in the order in which they were reserved; each call's follow one another. Then what
   * is of no call. Up to the entry `last`. Throws `ledger_corrupt` for what no entry may hold. */
  readonly rows: (asked: { readonly day: Day; readonly last: number }) => Generator<SourceRow>
  readonly close: () => void
}

/** A row, and the call it is of; null where it is of none. */
export type SourceRow = FileRow & { readonly callId: string | null; readonly kind: string }

/** Opens the source of days. It must be closed. */
export const openDaySource = (file: string, entryColumns: readonly EntryColumn[]): DaySource => {
  const database = new DatabaseSync(file, { readOnly: true })
  database.exec('PRAGMA trusted_schema = OFF; PRAGMA cache_size = -32000; PRAGMA mmap_size = 268435456;')
  const columns = fileColumns(entryColumns)
  const nameColumns = placesOf(entryColumns, ({ isName }) => isName)
  const amountColumns = placesOf(entryColumns, ({ type }) => type === 'ANY')
  const at = (name: string): number => entryColumns.findIndex((column) => column.name === name)
  const places = {
    ...{ sequence: at('sequence'), kind: at('kind'), callId: at('call_id'), at: at('at') },
    ...{ owner: at('owner'), service: at('service'), corrects: at('corrects') },
    ...{ endUser: at('end_user'), conversation: at('conversation'), tags: at('tags') },
  }
  const selected = entryColumns.map(({ name }) => `e."${name}"`).join(', ')

  const names = new Map<SqlValue, string>()
  const findName = database.prepare('SELECT name FROM names WHERE id = ?')
  const nameOf = (id: SqlValue): string | null => {
    if (id === null) return null
    const known = names.get(id)
    if (known !== undefined) return known
    const name = text(findName.get(id)?.['name'])
    if (names.size > 50_000) names.clear()
    names.set(id, name)
    return name
  }
  const partsOf = remembered((name: string) => nameParts(name).map(partOf))

  const stream = (sql: string, ...values: number[]): Stream => {
    const statement = database.prepare(sql)
    statement.setReadBigInts(true)
    statement.setReturnArrays(true)
    const rows = statement.iterate(...values) as unknown as Iterator<SqlRow>
    let next = rows.next()
    return {
      next: () => {
        if (next.done === true) return null
        const row = next.value
        next = rows.next()
        return row
      },
      of: (sequence) => {
        const list: SqlRow[] = []
        while (next.done !== true && next.value[0] === sequence) {
          if (next.value[1] !== BigInt(list.length)) throw corrupt(`the places of entry ${sequence}`)
          list.push(next.value)
          next = rows.next()
        }
        return list
      },
      end: () => {
        if (next.done !== true) throw corrupt(`rows of entry ${String(next.value[0])}`)
      },
    }
  }

  const chargeOf = ([, , price = null, quantity, charged, exact = null]: SqlRow): FileCharge => {
    const price_name = nameOf(price) ?? ''
    const written = text(quantity)
    const units = /^-?\d{1,19}$/.test(written) ? BigInt(written) : null
    const isUnits = units !== null && BigInt.asIntN(64, units) === units && `${units}` === written
    return {
      price_name,
      meter: partsOf(price_name)[1] ?? '',
      units: isUnits ? units : null,
      fraction: isUnits ? null : written,
      amount: amount(charged),
      exact: exact === null ? null : text(exact),
    }
  }

  const holdOf = ([, , limit = null, start, held]: SqlRow): FileHold => ({
    limit_name: nameOf(limit) ?? '',
    window_start: amount(start),
    amount: amount(held),
  })

  /** The tables are strict: a column has whole numbers, which are read as bigints, or texts, as it says. */
  const valuesOf = (row: SqlRow): FileValue[] => {
    const values = row.slice() as FileValue[]
    for (const place of nameColumns) values[place] = nameOf(row[place] ?? null)
    for (const place of amountColumns) {
      if (row[place] !== null) values[place] = amount(row[place])
    }
    return values
  }

  /** Who made a call, and when, as the entry that stands says what it cost. */
  const standingOf = (
    row: SqlRow,
    reserved: SqlRow,
    charges: readonly FileCharge[],
  ): readonly FileValue[] => {
    const value = (of: SqlRow, place: number): FileValue => textOf(of[place] ?? null)
    return [
      true,
      amount(reserved[places.at]),
      ...ofLength(5, partsOf(nameOf(reserved[places.owner] ?? null) ?? '[]')),
      ...ofLength(4, partsOf(nameOf(row[places.service] ?? null) ?? '[]')),
      value(reserved, places.endUser),
      value(row, places.conversation) ?? value(reserved, places.conversation),
      value(reserved, places.tags),
      charges.reduce((sum, charge) => sum + charge.amount, 0n),
    ]
  }

  function* group(
    entries: readonly SqlRow[],
    charges: Stream,
    holds: Stream,
    isOfCall: boolean,
  ): Generator<SourceRow> {
    const [reserved = []] = entries
    const corrected = new Set(entries.map((row) => row[places.corrects]))
    for (const row of entries) {
      const sequence = row[places.sequence]
      if (typeof sequence !== 'bigint') throw corrupt('a sequence')
      const kind = text(row[places.kind])
      const chargesOf = charges.of(sequence).map(chargeOf)
      const isStanding = isOfCall && (kind === 'settled' || kind === 'adjusted') && !corrected.has(sequence)
      yield {
        ...{ sequence, kind, callId: isOfCall ? text(row[places.callId]) : null },
        values: valuesOf(row).concat(isStanding ? standingOf(row, reserved, chargesOf) : notStanding),
        charges: chargesOf,
        holds: holds.of(sequence).map(holdOf),
      }
    }
  }

  function* rows({ day, last }: { day: Day; last: number }): Generator<SourceRow> {
    database.exec('BEGIN')
    try {
      for (const part of [ofCalls, ofNone]) {
        const { from, order, isOfCall } = part
        const asked = isOfCall ? [day, last, last] : [day, last]
        const entries = stream(`SELECT ${selected} ${from} ORDER BY ${order}`, ...asked)
        const [charges, holds] = [
          stream(
            `SELECT c.entry, c.position, c.price, c.quantity, c.amount, c.exact ${from.replace('WHERE', 'CROSS JOIN charges c ON c.entry = e.sequence WHERE')} ORDER BY ${order}, c.position`,
            ...asked,
          ),
          stream(
            `SELECT h.entry, h.position, h."limit", h.window_start, h.amount ${from.replace('WHERE', 'CROSS JOIN holds h ON h.entry = e.sequence WHERE')} ORDER BY ${order}, h.position`,
            ...asked,
          ),
        ]
        let call: SqlRow[] = []
        for (let row = entries.next(); row !== null; row = entries.next()) {
          const isSame = isOfCall && call[0]?.[places.callId] === row[places.callId]
          if (!isSame) {
            yield* group(call, charges, holds, isOfCall)
            call = []
          }
          call.push(row)
        }
        yield* group(call, charges, holds, isOfCall)
        charges.end()
        holds.end()
      }
    } finally {
      database.exec('COMMIT')
    }
  }

  return { columns, rows, close: () => database.close() }
}

type SqlRow = readonly (SqlValue | undefined)[]

type Stream = {
  readonly next: () => SqlRow | null
  /** The next rows, as far as they are of an entry. */
  readonly of: (sequence: bigint) => readonly SqlRow[]
  /** Throws where any is left. */
  readonly end: () => void
}

/** Where the entries of a day are: those of its calls, and those that are of no call. */
const ofCalls = {
  from: `FROM entries r CROSS JOIN entries e ON e.call_id = r.call_id
    WHERE r.kind = 'reserved' AND r.at / 86400000 = ? AND r.sequence <= ? AND e.sequence <= ?`,
  order: 'r.sequence, e.sequence',
  isOfCall: true,
}
const ofNone = {
  from: `FROM entries e
    WHERE e.kind IN ('accrued', 'imported') AND e.from_at / 86400000 = ? AND e.sequence <= ?`,
  order: 'e.sequence',
  isOfCall: false,
}

const notStanding: readonly FileValue[] = [false, ...new Array<null>(14).fill(null)]

const placesOf = (columns: readonly EntryColumn[], is: (column: EntryColumn) => boolean): readonly number[] =>
  columns.flatMap((column, place) => (is(column) ? [place] : []))

const textOf = (value: SqlValue): string | null => (value === null ? null : text(value))

const partOf = (part: string | number | null): string | null => (part === null ? null : String(part))

const ofLength = (length: number, parts: readonly (string | null)[]): readonly (string | null)[] =>
  Array.from({ length }, (_, index) => parts[index] ?? null)

/** Remembers what some thousand names say. */
const remembered = <Result>(read: (name: string) => Result): ((name: string) => Result) => {
  const known = new Map<string, Result>()
  return (name) => {
    const before = known.get(name)
    if (before !== undefined) return before
    const result = read(name)
    if (known.size > 50_000) known.clear()
    known.set(name, result)
    return result
  }
}

const corrupt = (what: string): OctroiError =>
  new OctroiError(
    'ledger_corrupt',
    `The ledger has what no entry may have: ${what}. Run octroi ledger verify.`,
  )
