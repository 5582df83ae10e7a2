/** The members of a JSON object on one line, in their order: texts as they are, numbers, true and false as they are
 * written, objects and arrays as their JSON; null is null. Null where the line is no such object. */
export const jsonLineCells = (
  line: string,
): readonly (readonly [name: string, cell: string | null])[] | null => {
  let place = 0
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = place
    const found = pattern.exec(line)
    if (found === null) return null
    place += found[0].length
    return found[0]
  }
  const cells: (readonly [string, string | null])[] = []
  if (take(opening) === null) return null
  if (take(closing) !== null) return place === line.length ? cells : null
  for (;;) {
    const name = textOf(take(string))
    if (name === null || take(colon) === null) return null
    const written = take(string)
    if (written !== null) {
      const text = textOf(written)
      if (text === null) return null
      cells.push([name, text])
    } else {
      const value = take(scalar) ?? nested()
      if (value === null) return null
      cells.push([name, value === 'null' ? null : value])
    }
    if (take(closing) !== null) return place === line.length ? cells : null
    if (take(comma) === null) return null
  }

  /** An object or array: up to the bracket that closes it, if all of it is JSON. */
  function nested(): string | null {
    const from = place
    let depth = 0
    do {
      const part = take(inside)
      if (part === null) return null
      if (part === '{' || part === '[') depth += 1
      else if (part === '}' || part === ']') depth -= 1
      else if (depth === 0) return null
    } while (depth > 0)
    const text = line.slice(from, place)
    return isJson(text) ? text : null
  }
}

const opening = /\s*\{\s*/y
const closing = /\s*\}\s*/y
const string = /"(?:[^"\\]|\\.)*"/y
const scalar = /[-+.\w]+/y
const colon = /\s*:\s*/y
const comma = /\s*,\s*/y
const inside = /[[{\]}]|"(?:[^"\\]|\\.)*"|[^"[{\]}]+/y

const textOf = (written: string | null): string | null => {
  if (written === null) return null
  if (!written.includes('\\')) return written.slice(1, -1)
  try {
    return String(JSON.parse(written))
  } catch {
    return null
  }
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
