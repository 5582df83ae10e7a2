/** What is wrong with a text that should be one flat JSON object with unique keys and values that are texts, numbers,
 * true, false or null; or null where nothing is. */
export const keyValueFault = (text: string): string | null => {
  let place = 0
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = place
    const found = pattern.exec(text)
    if (found === null) return null
    place += found[0].length
    return found[0]
  }
  const keys = new Set<string>()
  if (take(opening) === null) return 'is no JSON object'
  if (take(closing) !== null) return place === text.length ? null : 'goes on after its object'
  for (;;) {
    const key = take(string)
    if (key === null) return 'is no JSON object'
    const name = parsed(key)
    if (name === null) return 'is no JSON object'
    if (keys.has(name)) return `has the key "${name}" twice`
    keys.add(name)
    if (take(colon) === null) return 'is no JSON object'
    if (take(nested) !== null) return `has something nested under "${name}"`
    const value = take(string) ?? take(scalar)
    if (value === null || (value.startsWith('"') && parsed(value) === null)) return 'is no JSON object'
    if (take(closing) !== null) return place === text.length ? null : 'goes on after its object'
    if (take(comma) === null) return 'is no JSON object'
  }
}

const opening = /\s*\{\s*/y
const closing = /\s*\}\s*/y
const string = /"(?:[^"\\]|\\.)*"/y
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y
const nested = /[[{]/y
const colon = /\s*:\s*/y
const comma = /\s*,\s*/y

const parsed = (text: string): string | null => {
  try {
    return String(JSON.parse(text))
  } catch {
    return null
  }
}
