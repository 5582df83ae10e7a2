import { type Instant, parseInstant } from '../../time.ts'
import { readAmount, unusable } from './line.ts'

const hourMs = 3_600_000

/** Reads a count of a row; empty is 0. */
export const countAt = (text: string, place: () => string): number => {
  if (text === '') return 0
  const count = Number(text)
  if (Number.isSafeInteger(count) && count >= 0 && /^\d+(\.0+)?$/.test(text)) return count
  throw unusable(place(), `"${text.slice(0, 40)}" is no count.`)
}

/** Reads an amount of a row. Throws where it is none, and says what to do about a decimal comma. */
export const amountAt = (text: string, place: () => string, decimalComma = false): bigint => {
  const plain = decimalComma ? text.replaceAll(/[.\s\u00a0\u202f]/g, '').replace(',', '.') : text
  const amount = readAmount(plain)
  if (amount !== null) return amount
  const hint = /^-?\d{1,3}(\.?\d{3})*,\d+$/.test(text)
    ? ' It seems to have a decimal comma: say so in the mapping ("decimal": ",").'
    : ''
  throw unusable(place(), `"${text.slice(0, 40)}" is no amount such as 12.50.${hint}`)
}

/** Reads instants, and remembers those it read last: rows of one hour follow each other. */
export const instantReader = (): ((text: string, place: () => string) => Instant) => {
  const known = new Map<string, Instant>()
  return (text, place) => {
    const before = known.get(text)
    if (before !== undefined) return before
    const at = read(text)
    if (at === null)
      throw unusable(place(), `"${text.slice(0, 40)}" is no time such as 2023-11-15T12:00:00Z.`)
    if (known.size >= knownMax) known.clear()
    known.set(copyOf(text), at)
    return at
  }
}

const knownMax = 10_000

/** The same text by itself: a piece of a file, as it is cut out, keeps the whole piece in memory that it was cut from,
 * but where it is so short that V8 cuts it out as a copy. */
export const copyOf = (text: string): string =>
  text.length < slicedMin ? text : Buffer.from(text).toString()

const slicedMin = 13

/** Also as databases write it, in UTC: `2023-11-15 12:00:00.123`. */
const read = (text: string): Instant | null => {
  const plain = /^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?$/.test(text)
    ? `${text.replace(' ', 'T')}Z`
    : text
        .replace(/^(\d{4}-\d{2}-\d{2}) (\d{2}:)/, '$1T$2')
        .replace(/(:[\d.]+)([+-]\d{2})$/, '$1$2:00')
        .replace(/ ?UTC$/, 'Z')
  try {
    return parseInstant(plain)
  } catch {
    return null
  }
}

export const hourOf = (at: Instant): Instant => Math.floor(at / hourMs) * hourMs
