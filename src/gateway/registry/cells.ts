import type { Row } from '../../ledger/database.ts'

/** The texts and whole numbers of a row; null where it has none. */
export const text = (row: Row, name: string): string | null => {
  const value = row[name]
  return value === null || value === undefined ? null : String(value)
}

export const whole = (row: Row, name: string): number | null => {
  const value = row[name]
  return value === null || value === undefined ? null : Number(value)
}
