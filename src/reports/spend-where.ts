import { OctroiError } from '../errors.ts'
import { fits } from '../ledger/sealed/grouping.ts'
import {
  isSpendDimension,
  nameIn,
  type SpendDimension,
  type SpendPlace,
  spendDimensions,
} from './spend-dimensions.ts'
import type { ZoneNames } from './spend-zone.ts'

/** What of the spend is meant: of each dimension, one of these names. A name is as it is written in a filter: `*` stands
 * for any text, `(none)` for what has no name; `\` before a sign takes it as it is. */
export type SpendWhere = readonly {
  readonly dimension: SpendDimension
  readonly anyOf: readonly string[]
}[]

const none = '(none)'

/** Reads a filter: `team=search,model=gpt-*`. Names of one dimension are alternatives; dimensions must all fit. Throws
 * `bad_input`. */
export const parseWhere = (written: string): SpendWhere => {
  const chosen = new Map<SpendDimension, string[]>()
  for (const part of written.match(/(?:\\.|[^,\\])+/gs) ?? []) {
    const [, dimension = '', name = ''] = /^\s*([^=]+?)\s*=(.*)$/s.exec(part) ?? []
    if (!isSpendDimension(dimension) || name === '') {
      throw new OctroiError(
        'bad_input',
        `cannot be "${part.slice(0, 80)}". Write name=value, comma between, with a name from: ${spendDimensions.join(', ')}, tag:NAME.`,
      )
    }
    chosen.set(dimension, [...(chosen.get(dimension) ?? []), name])
  }
  return [...chosen].map(([dimension, anyOf]) => ({ dimension, anyOf }))
}

/** Writes a filter, so that reading it gives the same. */
export const formatWhere = (where: SpendWhere): string =>
  where.flatMap(({ dimension, anyOf }) => anyOf.map((name) => `${dimension}=${name}`)).join(',')

/** How a name is written in a filter that chooses it alone. */
export const chosenName = (name: string | null): string => {
  if (name === null) return none
  const plain = name.replaceAll(/[\\,*]/g, '\\$&')
  return plain === none ? `\\${plain}` : plain
}

/** What each of some names in a filter stands for: the texts between its stars, in order; null for what has no name. */
export const patternsOf = (anyOf: readonly string[]): readonly (readonly string[] | null)[] =>
  anyOf.map((name) => (name === none ? null : piecesOf(name)))

/** Whether a place is meant. */
export const fitsWhere = (where: SpendWhere, zone: ZoneNames): ((place: SpendPlace) => boolean) => {
  const tests = where.map(({ dimension, anyOf }) => {
    const nameOf = nameIn(dimension, zone)
    const texts = anyOf.filter((name) => name !== none).map(matcherOf)
    const takesNone = anyOf.includes(none)
    return (place: SpendPlace): boolean => {
      const name = nameOf(place)
      return name === null ? takesNone : texts.some((matches) => matches(name))
    }
  })
  return (place) => tests.every((test) => test(place))
}

/** Whether a text is meant by a name as it is written: its pieces between stars, in order. */
const matcherOf = (written: string): ((text: string) => boolean) => {
  const pieces = piecesOf(written)
  return (text) => fits(pieces, text)
}

const piecesOf = (written: string): readonly string[] => {
  const pieces = ['']
  for (const sign of written.match(/\\.|./gs) ?? []) {
    if (sign === '*') pieces.push('')
    else pieces.push(`${pieces.pop()}${sign.length > 1 && sign.startsWith('\\') ? sign.slice(1) : sign}`)
  }
  return pieces
}
