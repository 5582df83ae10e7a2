import { OctroiError } from '../errors.ts'
import { parseJsonText } from './json-text.ts'

/** One value of the input, or why a line of it is none. `place` names it to people: `line 3`, `item 3`. */
export type Item =
  | { readonly place: string; readonly value: unknown }
  | { readonly place: string; readonly error: OctroiError }

/** What a command was given, in the form in which it answers: one object, an array, or JSON Lines. */
export type Items = { readonly form: 'object' | 'array' | 'lines'; readonly items: AsyncIterable<Item> }

const megabyte = 1_048_576

/** The longest line of JSON Lines, and the largest document that is read whole, in characters. */
const lineMax = 16 * megabyte
const documentMax = 256 * megabyte

/** Reads JSON Lines one by one, or a whole JSON document. Where a line of JSON Lines is bad, the others still
 * come. Throws `bad_json` for a bad document and `bad_input` for an empty or too large one. */
export const readItems = async (input: AsyncIterable<Uint8Array | string>): Promise<Items> => {
  const lines = nonBlank(linesOf(input))
  const first = await next(lines)
  if (first === null) throw new OctroiError('bad_input', 'The input is empty.')
  const second = await next(lines)
  const value = tryParse(first.text)
  const isObject = value !== undefined && !Array.isArray(value)
  if (isObject && second === null) return { form: 'object', items: only(value) }
  if (isObject || (second?.text.trimStart().startsWith('{') && !first.text.trimStart().startsWith('['))) {
    return { form: 'lines', items: itemsOf(first, second, lines) }
  }
  const whole = parseJsonText(await restOf(first, second, lines), { line: first.number })
  return Array.isArray(whole)
    ? { form: 'array', items: allOf(whole) }
    : { form: 'object', items: only(whole) }
}

/** A line without its end; `text` is empty where it is longer than a line may be. */
type Line = { readonly number: number; readonly text: string; readonly tooLong: boolean }

async function* linesOf(input: AsyncIterable<Uint8Array | string>): AsyncGenerator<Line> {
  const decoder = new TextDecoder()
  let [number, text, tooLong] = [1, '', false]
  for await (const chunk of input) {
    const parts = (typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })).split('\n')
    for (const [index, part] of parts.entries()) {
      if (index > 0) {
        yield { number, text, tooLong }
        ;[number, text, tooLong] = [number + 1, '', false]
      }
      tooLong ||= text.length + part.length > lineMax
      text = tooLong ? '' : text + part
    }
  }
  yield { number, text: text + decoder.decode(), tooLong }
}

async function* nonBlank(lines: AsyncIterable<Line>): AsyncGenerator<Line> {
  for await (const line of lines) if (line.tooLong || line.text.trim() !== '') yield line
}

const next = async (lines: AsyncGenerator<Line>): Promise<Line | null> => {
  const { value, done } = await lines.next()
  return done ? null : value
}

const tryParse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function* itemsOf(first: Line, second: Line | null, rest: AsyncIterable<Line>): AsyncGenerator<Item> {
  yield itemOf(first)
  if (second !== null) yield itemOf(second)
  for await (const line of rest) yield itemOf(line)
}

const itemOf = ({ number, text, tooLong }: Line): Item => {
  const place = `line ${number}`
  if (tooLong) return { place, error: tooLarge(`line ${number}`, lineMax) }
  try {
    return { place, value: parseJsonText(text, { line: number }) }
  } catch (error) {
    if (error instanceof OctroiError) return { place, error }
    throw error
  }
}

/** The whole text again, blank lines kept as such so that the line numbers of errors stay true. */
const restOf = async (first: Line, second: Line | null, rest: AsyncIterable<Line>): Promise<string> => {
  const parts: string[] = []
  let [line, size] = [first.number, 0]
  const take = ({ number, text, tooLong }: Line): void => {
    size += text.length
    if (tooLong) throw tooLarge(`line ${number}`, lineMax)
    if (size > documentMax) throw tooLarge('The input', documentMax)
    parts.push('\n'.repeat(number - line), text)
    line = number
  }
  take(first)
  if (second !== null) take(second)
  for await (const more of rest) take(more)
  return parts.join('')
}

const tooLarge = (what: string, max: number): OctroiError =>
  new OctroiError('bad_input', `${what} is longer than ${max / megabyte} MiB. Write one item a line.`)

async function* only(value: unknown): AsyncGenerator<Item> {
  yield { place: 'the item', value }
}

async function* allOf(values: readonly unknown[]): AsyncGenerator<Item> {
  for (const [index, value] of values.entries()) yield { place: `item ${index + 1}`, value }
}
