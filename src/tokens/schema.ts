import { type Fields, isObject, jsonOf, listOf } from './prompt-count.ts'

/** A schema written as the vendor shows it to the model. `ignored`: what the text leaves out, as JSON, since no
 * measurement says whether it costs anything. `undescribed`: properties without a description. `nestedLines`:
 * lines inside of objects that have a description. `whole`: false where there was too much of it, or too deep. */
export type WrittenSchema = {
  readonly text: string
  readonly ignored: readonly string[]
  readonly undescribed: number
  readonly nestedLines: number
  readonly whole: boolean
}

/** Writes the properties of object schemas as TypeScript, in the shape that recorded usage agrees with (hmarr/
 * openai-chat-tokens at b8e3b11). All schemas of a request share one writer, so that they share its bound. */
export type SchemaWriter = {
  readonly properties: (schema: Fields) => string
  readonly ignore: (value: unknown) => void
  readonly written: (text: string) => WrittenSchema
}

/** A megabyte of definitions has about 40,000 properties at the most. */
const nodesMax = 50_000
const depthMax = 256
/** Deeper than any recorded case; without an end, a deep schema would be written mostly in spaces. */
const indentedDepthMax = 16

/** Within how many objects and lists; within how many objects alone, which are indented. */
type Place = { readonly depth: number; readonly objects: number }

export const newSchemaWriter = (): SchemaWriter => {
  const ignored: string[] = []
  let [undescribed, nestedLines, nodes] = [0, 0, 0]
  let whole = true

  const ignore = (value: unknown): void => {
    const json = jsonOf(value)
    if (json === null) whole = false
    else ignored.push(json)
  }

  const ignoreOthers = (schema: Fields, shown: ReadonlySet<string>): void => {
    const others = Object.entries(schema).filter(([key, value]) => !shown.has(key) && value !== undefined)
    if (others.length > 0) ignore(Object.fromEntries(others))
  }

  // Everything is appended to one list: to join each level would copy a deep schema once a level.
  const writeProperties = (schema: Fields, place: Place, described: boolean, out: string[]): void => {
    const required = new Set(listOf(schema.required))
    const known = isObject(schema.properties) ? Object.entries(schema.properties) : []
    const indent = ' '.repeat(2 * Math.min(place.objects, indentedDepthMax))
    known.forEach(([name, property], index) => {
      const facts = isObject(property) ? property : {}
      const comment = descriptionOf(facts)
      if (comment === '') undescribed += 1
      if (described) nestedLines += comment === '' ? 1 : 2
      if (index > 0) out.push('\n')
      if (comment !== '') out.push(`${indent}// ${comment}\n`)
      out.push(`${indent}${name}${required.has(name) ? '' : '?'}: `)
      writeType(facts, place, described || comment !== '', out)
      out.push(',')
    })
  }

  const writeType = (schema: Fields, place: Place, described: boolean, out: string[]): void => {
    nodes += 1
    if (nodes > nodesMax || place.depth > depthMax) {
      whole = false
      out.push('any')
      return
    }
    const { type, enum: values, items } = schema
    const depth = place.depth + 1
    if (Array.isArray(values)) {
      ignoreOthers(schema, shownOfEnum)
      out.push(values.map((value) => jsonOf(value) ?? 'any').join(' | '))
    } else if (type === 'object') {
      ignoreOthers(schema, shownOfObject)
      out.push('{\n')
      writeProperties(schema, { depth, objects: place.objects + 1 }, described, out)
      out.push('\n}')
    } else if (type === 'array') {
      ignoreOthers(schema, shownOfArray)
      // Only the description of a property is written, not that of what a list holds.
      if (isObject(items) && descriptionOf(items) !== '') ignore({ description: items.description })
      if (isObject(items)) writeType(items, { ...place, depth }, described, out)
      else out.push('any')
      out.push('[]')
    } else {
      ignoreOthers(schema, shownOfScalar)
      if (type !== undefined && typeof type !== 'string') ignore({ type })
      out.push(type === 'integer' ? 'number' : typeof type === 'string' ? type : 'any')
    }
  }

  return {
    properties: (schema) => {
      ignoreOthers(schema, shownOfRoot)
      const out: string[] = []
      writeProperties(schema, { depth: 0, objects: 0 }, false, out)
      return out.join('')
    },
    ignore,
    written: (text) => ({ text, ignored, undescribed, nestedLines, whole }),
  }
}

/** A description, or nothing. */
export const descriptionOf = (facts: Fields): string =>
  typeof facts.description === 'string' ? facts.description : ''

const shownOfScalar = new Set(['type', 'description'])
const shownOfEnum = new Set(['type', 'description', 'enum'])
const shownOfArray = new Set(['type', 'description', 'items'])
const shownOfObject = new Set(['type', 'description', 'properties', 'required'])
const shownOfRoot = new Set(['type', 'properties', 'required'])
