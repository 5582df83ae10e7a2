import { type Json, textOf } from '../../endpoints/json.ts'
import { readAmount, unusable } from './line.ts'

/** Reads JSON so that no number goes through a float that it does not fit: whole ones below 10^15 are numbers, all
 * others the text that was written. Throws `bad_input` that names the place. */
export const parseExact = (text: string, place: string): Json => {
  try {
    return JSON.parse(text, asWritten)
  } catch (error) {
    throw unusable(place, `this is not JSON: ${error instanceof Error ? error.message.slice(0, 200) : ''}`)
  }
}

const asWritten = (_key: string, value: unknown, context?: { readonly source?: string }): unknown => {
  if (typeof value !== 'number') return value
  const source = context?.source ?? String(value)
  return /^-?\d{1,15}$/.test(source) ? value : source
}

/** An amount in a value read by `parseExact`: a number, or a text of one. */
export const amountIn = (value: Json, shift = 0): bigint | null => {
  const text = typeof value === 'number' ? String(value) : textOf(value)
  return text === null ? null : readAmount(text, shift)
}
