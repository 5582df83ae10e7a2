import { turn } from './turn.ts'

/** Puts a value in the place of what a member of a JSON object has, wherever the object has it, and leaves every other
 * byte as it came. `body` is the text of an object, as it was read before; `value` is JSON. What takes long is read
 * in steps, between which others have their turn. */
export const replaceMember = async (
  body: Buffer,
  { name, value }: { readonly name: string; readonly value: string },
): Promise<Buffer> => {
  const parts: Buffer[] = []
  const replacement = Buffer.from(value)
  let kept = 0
  for (const { from, to } of await membersNamed(body, name)) {
    parts.push(body.subarray(kept, from), replacement)
    kept = to
  }
  return Buffer.concat([...parts, body.subarray(kept)])
}

/** Sets a member of a JSON object, at the end of the names on the way to it, and leaves every other byte as it came:
 * in the place of what it has, or in front of the object where it has none. What is on the way and is no object gives
 * way to one. `value` is JSON. */
export const setMember = async (
  body: Buffer,
  { path, value }: { readonly path: readonly [string, ...string[]]; readonly value: string },
): Promise<Buffer> => {
  const [name, next, ...others] = path
  const found = await membersNamed(body, name)
  if (found.length === 0) {
    const inner = path.slice(1).reduceRight((text, each) => `{${JSON.stringify(each)}:${text}}`, value)
    return withFields(body, `${JSON.stringify(name)}:${inner}`)
  }
  const parts: Buffer[] = []
  let kept = 0
  for (const { from, to } of found) {
    const old = body.subarray(from, to)
    const object = old[0] === openBrace ? old : Buffer.from('{}')
    parts.push(
      body.subarray(kept, from),
      next === undefined ? Buffer.from(value) : await setMember(object, { path: [next, ...others], value }),
    )
    kept = to
  }
  return Buffer.concat([...parts, body.subarray(kept)])
}

/** The same JSON object with fields in front, where they do not touch what follows. `fields` is the text of at least
 * one member. */
export const withFields = (body: Buffer, fields: string): Buffer => {
  const start = body.indexOf('{') + 1
  const rest = body.subarray(start)
  const isEmpty = /^\s*\}/.test(rest.subarray(0, 1_000).toString('latin1'))
  return Buffer.concat([body.subarray(0, start), Buffer.from(isEmpty ? fields : `${fields},`), rest])
}

type Range = { readonly from: number; readonly to: number }

/** Where the values of the members of that name stand, white space around them left out. */
const membersNamed = async (body: Buffer, name: string): Promise<readonly Range[]> => {
  const found: Range[] = []
  let [depth, from, pause] = [0, -1, stepBytes]
  let key: string | null = null
  const ended = (at: number): void => {
    if (from >= 0 && depth === 1) {
      let to = at
      while (isSpace(body[to - 1])) to -= 1
      found.push({ from, to })
      from = -1
    }
    key = null
  }
  for (let at = 0; at < body.length; at += 1) {
    if (at >= pause) {
      await turn(stepBytes)
      pause = at + stepBytes
    }
    switch (body[at]) {
      case quote: {
        const end = endOfString(body, at + 1)
        if (depth === 1 && from < 0) key = keyOf(body.subarray(at, end), name)
        pause += end - at
        at = end - 1
        break
      }
      case colon:
        if (depth !== 1 || key !== name) break
        from = at + 1
        while (isSpace(body[from])) from += 1
        at = from - 1
        break
      case comma:
        ended(at)
        break
      case openBrace:
      case openBracket:
        depth += 1
        break
      case closeBrace:
      case closeBracket:
        ended(at)
        depth -= 1
    }
  }
  return found
}

/** A key as it is meant, where it may be the one that is looked for: each of its characters may be written in six. */
const keyOf = (quoted: Buffer, name: string): string | null =>
  quoted.length > name.length * 6 + 2 ? null : (JSON.parse(quoted.toString('utf8')) as string)

/** Past the quote that closes a string: one behind an even number of backslashes. */
const endOfString = (body: Buffer, from: number): number => {
  for (let at = body.indexOf(quote, from); at !== -1; at = body.indexOf(quote, at + 1)) {
    let escaped = at
    while (escaped > from && body[escaped - 1] === backslash) escaped -= 1
    if ((at - escaped) % 2 === 0) return at + 1
  }
  return body.length
}

/** Bytes outside of strings that are read at once: a millisecond. */
const stepBytes = 512 * 1024

const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const openBracket = 0x5b
const backslash = 0x5c
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d
