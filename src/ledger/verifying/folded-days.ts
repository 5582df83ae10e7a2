import { addCheckpoint, writeCheckpoint } from '../checkpoint.ts'
import { number } from '../columns.ts'
import type { Connection } from '../database.ts'
import { type Books, emptyBooks } from '../fold.ts'
import { type Day, dayOf } from '../seal.ts'

/** Hours of books that memory has no room for, day by day, beside what checkpoints say of those days. */
export type FoldedDays = {
  /** Takes the hours out of books where they are more than `linesMost`. */
  readonly relieve: (books: Books, linesMost: number) => void
  /** The days that have anything, in order. */
  readonly days: () => readonly Day[]
  /** The hours of a day. The balances of its checkpoints are added to those of `books`. */
  readonly hoursOf: (day: Day, books: Books) => Pick<Books, 'chargeHours' | 'callHours'>
  readonly close: () => void
}

/** Opens them in a temporary table. They must be closed. */
export const openFoldedDays = (connection: Connection): FoldedDays => {
  connection.run('CREATE TEMP TABLE folded_days (day INTEGER NOT NULL, fold BLOB NOT NULL)')
  connection.run('CREATE INDEX temp.folds_of_day ON folded_days (day)')
  return {
    relieve: (books, linesMost) => {
      if (books.chargeHours.size + books.callHours.size <= linesMost) return
      for (const [day, hours] of byDay(books)) {
        connection.run('INSERT INTO temp.folded_days VALUES (?, ?)', day, writeCheckpoint(hours))
      }
      books.chargeHours.clear()
      books.callHours.clear()
    },
    days: () =>
      connection
        .all('SELECT day FROM temp.folded_days UNION SELECT day FROM checkpoints ORDER BY day')
        .map((row) => number(row['day'])),
    hoursOf: (day, { balances }) => {
      const hours: Books = { ...emptyBooks(), balances }
      for (const [sql, of] of [
        ['SELECT id, sign, fold FROM checkpoints WHERE day = ? AND id > ? ORDER BY id LIMIT 1', 'id'],
        [
          'SELECT rowid, 1 AS sign, fold FROM temp.folded_days WHERE day = ? AND rowid > ? ORDER BY rowid LIMIT 1',
          'rowid',
        ],
      ] as const) {
        let row = connection.get(sql, day, 0)
        for (; row !== undefined; row = connection.get(sql, day, row[of] ?? null)) {
          addCheckpoint(hours, row['fold'] as Uint8Array, BigInt(number(row['sign'])))
        }
      }
      return hours
    },
    close: () => connection.run('DROP TABLE temp.folded_days'),
  }
}

/** Books by the day of their hours, with which their keys begin. */
const byDay = ({ chargeHours, callHours }: Books): ReadonlyMap<Day, Books> => {
  const days = new Map<Day, Books>()
  const of = (key: string): Books => {
    const day = dayOf(Number(key.slice(1, key.indexOf(','))))
    const known = days.get(day) ?? emptyBooks()
    days.set(day, known)
    return known
  }
  for (const [key, sums] of chargeHours) of(key).chargeHours.set(key, sums)
  for (const [key, sums] of callHours) of(key).callHours.set(key, sums)
  return days
}
