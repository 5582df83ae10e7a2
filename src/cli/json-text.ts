import { OctroiError } from '../errors.ts'

/** Reads a JSON text. Throws `bad_json`, saying at which line and column it stops being JSON, and what the
 * reader expected there. `line`: the number of the text's first line in its file. */
export const parseJsonText = (text: string, options: { readonly line?: number } = {}): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    const { at, expected } = faultOf(text)
    const before = text.slice(0, at).split('\n')
    const line = (options.line ?? 1) + before.length - 1
    const column = (before.at(-1)?.length ?? 0) + 1
    throw new OctroiError(
      'bad_json',
      `line ${line}, column ${column}: not JSON: ${expected} was expected${at >= text.length ? ', but the text ends' : ''}.`,
      { line, column },
    )
  }
}

type Fault = { readonly at: number; readonly expected: string }
type State =
  | 'a value'
  | 'a value or ]'
  | 'a name in quotes or }'
  | 'a name in quotes'
  | ': after the name'
  | 'end'

/** Walks over the text token by token until one does not fit. The engine's own message names no position for
 * short texts. */
const faultOf = (text: string): Fault => {
  const open: ('{' | '[')[] = []
  let state: State = 'a value'
  let at = skipSpace(text, 0)
  while (at <= text.length) {
    const after = open.at(-1)
    const expected = state === 'end' ? endOf(after) : state
    const token = tokenAt(text, at)
    if (token === null) return { at, expected: text[at] === '"' ? `a complete text (from here)` : expected }
    const next = step(state, token, open)
    if (next === null) return { at, expected }
    state = next
    at = skipSpace(text, at + token.length)
  }
  return { at: text.length, expected: 'the end' }
}

const endOf = (open: '{' | '[' | undefined): string =>
  open === undefined ? 'the end' : open === '{' ? ', or }' : ', or ]'

/** What may come after a token, or null where the token does not fit. Keeps `open`. */
const step = (state: State, token: string, open: ('{' | '[')[]): State | null => {
  const inObject = open.at(-1) === '{'
  if (state === ': after the name') return token === ':' ? 'a value' : null
  if (state === 'end') {
    if (token === ',' && open.length > 0) return inObject ? 'a name in quotes' : 'a value'
    return open.length > 0 && token === (inObject ? '}' : ']') ? close(open) : null
  }
  if (state === 'a name in quotes or }' && token === '}') return close(open)
  if (state === 'a value or ]' && token === ']') return close(open)
  if (state === 'a name in quotes' || state === 'a name in quotes or }') {
    return token.startsWith('"') ? ': after the name' : null
  }
  if (token === '{' || token === '[') {
    open.push(token)
    return token === '{' ? 'a name in quotes or }' : 'a value or ]'
  }
  return /^[}\],:]$/.test(token) ? null : 'end'
}

const close = (open: ('{' | '[')[]): State => {
  open.pop()
  return 'end'
}

const plainToken = /[{}[\],:]|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

const tokenAt = (text: string, at: number): string | null => {
  if (text[at] === '"') return quotedAt(text, at)
  plainToken.lastIndex = at
  return plainToken.exec(text)?.[0] ?? null
}

const escaped = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y

const quotedAt = (text: string, start: number): string | null => {
  let at = start + 1
  while (at < text.length) {
    const character = text[at]
    if (character === '"') return text.slice(start, at + 1)
    if (character === '\\') {
      escaped.lastIndex = at
      const length = escaped.exec(text)?.[0].length
      if (length === undefined) return null
      at += length
    } else if (text.charCodeAt(at) < 0x20) return null
    else at += 1
  }
  return null
}

const skipSpace = (text: string, from: number): number => {
  let at = from
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at += 1
  return at
}
