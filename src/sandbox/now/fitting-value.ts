import type { Random } from '../random.ts'
import { textOfTokens } from '../replies.ts'
import { type Fields, isFields } from '../world.ts'

/** A small value that a JSON Schema allows, as far as types, choices, constants, references within the schema,
 * lengths and bounds go; patterns and formats are not followed. The same for the same seed. */
export const fittingValue = (schema: unknown, random: Random): unknown => {
  const root = isFields(schema) ? schema : {}
  let nodes = 0
  const value = (given: unknown, depth: number): unknown => {
    nodes += 1
    if (nodes > nodesMax || depth > depthMax) return null
    const one = resolved(given, root)
    const choices: readonly unknown[] = Array.isArray(one['enum']) ? one['enum'] : []
    if (choices.length > 0) return choices[random.whole({ least: 0, most: choices.length - 1 })]
    if ('const' in one) return one['const']
    switch (kindOf(one)) {
      case 'object':
        return Object.fromEntries(
          Object.entries(isFields(one['properties']) ? one['properties'] : {})
            .slice(0, propertiesMax)
            .map(([name, each]) => [name, value(each, depth + 1)]),
        )
      case 'array':
        return Array.from({ length: Math.min(itemsMax, wholeOf(one['minItems']) ?? 1) }, () =>
          value(one['items'], depth + 1),
        )
      case 'integer':
      case 'number': {
        const least = wholeOf(one['minimum']) ?? 1
        return random.whole({ least, most: Math.max(least, wholeOf(one['maximum']) ?? least + 99) })
      }
      case 'boolean':
        return random.whole({ least: 0, most: 1 }) === 1
      case 'null':
        return null
      default:
        return textWithin(one, random)
    }
  }
  return value(root, 0)
}

const depthMax = 16
const nodesMax = 2000
const propertiesMax = 64
const itemsMax = 16

/** A schema with its reference followed, or the first of its alternatives. */
const resolved = (given: unknown, root: Fields): Fields => {
  let schema = isFields(given) ? given : {}
  for (let steps = 0; steps < depthMax; steps++) {
    const { $ref: reference } = schema
    const alternatives = [schema['anyOf'], schema['oneOf'], schema['allOf']].find(Array.isArray)
    if (typeof reference === 'string') schema = placeOf(reference, root)
    else if (alternatives !== undefined && isFields(alternatives[0])) schema = alternatives[0]
    else return schema
  }
  return schema
}

const placeOf = (reference: string, root: Fields): Fields => {
  const found = reference
    .split('/')
    .slice(1)
    .reduce<unknown>((place, name) => (isFields(place) ? place[name] : undefined), root)
  return isFields(found) ? found : {}
}

const kindOf = (schema: Fields): unknown => {
  const { type } = schema
  if (Array.isArray(type)) return type[0]
  return type ?? (isFields(schema['properties']) ? 'object' : 'string')
}

const wholeOf = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? Math.ceil(value) : null

const textWithin = (schema: Fields, random: Random): string => {
  const text = textOfTokens(2, String(random.whole({ least: 0, most: 9999 })))
  const least = Math.min(1000, wholeOf(schema['minLength']) ?? 0)
  return text.padEnd(least, '.').slice(0, Math.max(0, wholeOf(schema['maxLength']) ?? text.length + least))
}
