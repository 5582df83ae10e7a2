import type { Picos } from '../../money/money.ts'
import { add, type Rational, rational, zero } from '../../money/rational.ts'
import type { Instant } from '../../time.ts'
import type { Meter } from '../../usage/meter.ts'
import type { Quantity } from '../../usage/usage.ts'
import type { Accrued } from '../accrual.ts'
import type { Basis } from '../entry.ts'
import type { AccruedRow, CallRow, ImportedRow } from '../reading.ts'

/** What detail can be grouped by, also what the hourly folds do not know. Days and hours are those of UTC: `2023-11-15`,
 * `2023-11-15T09`. */
export const plainDimensions = [
  'organization',
  'team',
  'project',
  'environment',
  'key',
  'provider',
  'model',
  'endpoint',
  'endUser',
  'conversation',
  'day',
  'hour',
  'tier',
  'basis',
  'currency',
  'meter',
] as const

/** `tag:feature` is the value of that tag. */
export type Dimension = (typeof plainDimensions)[number] | `tag:${string}`

/** What is asked: calls made from `from` up to but not including `to`, and what else began then; only where dimensions
 * (other than `meter`) have these values. */
export type GroupsAsked = {
  readonly from: Instant
  readonly to: Instant
  readonly by: readonly Dimension[]
  readonly only?: readonly Only[]
}

/** One name of a dimension (null: none), or any of some patterns: the texts that stand in it in this order, with anything
 * between; a pattern of one text is that text. */
export type Only = { readonly dimension: Exclude<Dimension, 'meter'> } & (
  | { readonly value: string | null }
  | { readonly anyOf: readonly (readonly string[] | null)[] }
)

/** What one group came to, in one currency and of one basis. By `meter`, calls are not counted, and what had no price is
 * a group of its own with the amount 0. */
export type Group = {
  /** One name for each dimension; null where there is none. */
  readonly names: readonly (string | null)[]
  readonly currency: string
  readonly basis: Basis
  readonly amount: Picos
  /** Calls, and those of which something had no price; and their history that was sent again. */
  readonly calls: bigint
  readonly unpriced: bigint
  readonly resentTokens: bigint
  readonly resentAmount: Picos
  /** By `meter` only: how much of it. */
  readonly quantity: Rational
  readonly isPriced: boolean
}

/** Groups as they are added up. */
export type Groups = {
  readonly asked: GroupsAsked
  readonly sums: Map<string, { -readonly [Name in keyof Group]: Group[Name] }>
}

export const emptyGroups = (asked: GroupsAsked): Groups => ({ asked, sums: new Map() })

/** Adds sums to their group. */
export const addGroup = ({ sums }: Groups, group: Group): void => {
  const key = JSON.stringify([group.currency, group.basis, group.isPriced, ...group.names])
  const before = sums.get(key)
  if (before === undefined) {
    sums.set(key, { ...group })
    return
  }
  before.amount += group.amount
  before.calls += group.calls
  before.unpriced += group.unpriced
  before.resentTokens += group.resentTokens
  before.resentAmount += group.resentAmount
  before.quantity = add(before.quantity, group.quantity)
}

/** Adds a call whose cost is known. */
export const addCall = (groups: Groups, { call, settlement }: CallRow): void => {
  const { model, tier, currency, basis, charges, unpriced, resent } = settlement
  addRow(groups, {
    ...{ ...call, model, tier, currency, basis, charges, unpriced, calls: 1 },
    ...{ resentTokens: resent?.tokens ?? 0, resentAmount: resent?.amount ?? 0n },
  })
}

/** Adds what time alone came to. */
export const addAccrued = (groups: Groups, row: AccruedRow): void =>
  addRow(groups, {
    ...{ ...row, ...row.owner, tier: null, at: row.from },
    ...{ calls: 0, resentTokens: 0, resentAmount: 0n },
  })

/** Adds what is posted of an imported line. */
export const addImported = (groups: Groups, row: ImportedRow): void => {
  if (row.calls === 0 && row.charges.length === 0 && row.unpriced.length === 0) return
  const rest = { conversation: null, basis: 'imported', resentTokens: 0, resentAmount: 0n } as const
  addRow(groups, { ...row, ...row.owner, ...rest, at: row.from })
}

type Row = Pick<Accrued, 'conversation' | 'charges' | 'unpriced' | 'currency' | 'basis'> &
  Accrued['owner'] &
  Pick<Accrued, 'provider' | 'model' | 'endpoint' | 'at'> & {
    readonly tier: string | null
    readonly calls: number
    readonly resentTokens: number
    readonly resentAmount: Picos
  }

const addRow = (groups: Groups, row: Row): void => {
  const { by, from, to, only = [] } = groups.asked
  if (row.at < from || row.at >= to) return
  if (!only.every((each) => isOneOf(each, nameOf(row, each.dimension, null)))) return
  const { currency, basis, charges, unpriced } = row
  const put = (group: Partial<Group>, meter: Meter | null): void =>
    addGroup(groups, {
      ...{ currency, basis, ...nothing, ...group },
      names: by.map((dimension) => nameOf(row, dimension, meter)),
    })
  if (!by.includes('meter')) {
    put(
      {
        amount: charges.reduce((sum, { amount }) => sum + amount, 0n),
        calls: BigInt(row.calls),
        unpriced: unpriced.length > 0 ? BigInt(row.calls) : 0n,
        resentTokens: BigInt(row.resentTokens),
        resentAmount: row.resentAmount,
      },
      null,
    )
    return
  }
  for (const { meter, quantity, amount } of charges) put({ amount, quantity: exactOf(quantity) }, meter)
  for (const { meter, quantity } of unpriced) put({ quantity: exactOf(quantity), isPriced: false }, meter)
}

/** What a group is without anything in it. */
export const nothing = {
  amount: 0n,
  calls: 0n,
  unpriced: 0n,
  resentTokens: 0n,
  resentAmount: 0n,
  quantity: zero,
  isPriced: true,
} as const

const nameOf = (row: Row, dimension: Dimension, meter: Meter | null): string | null => {
  if (dimension === 'meter') return meter
  if (dimension === 'day') return new Date(row.at).toISOString().slice(0, 10)
  if (dimension === 'hour') return new Date(row.at).toISOString().slice(0, 13)
  if (isTag(dimension)) return tagOf(row, dimension)
  return row[dimension]
}

const isOneOf = (only: Only, name: string | null): boolean => {
  if ('value' in only) return only.value === name
  return only.anyOf.some((pieces) =>
    pieces === null || name === null ? pieces === name : fits(pieces, name),
  )
}

/** Whether a name has these texts in this order, from its beginning to its end. */
export const fits = (pieces: readonly string[], name: string): boolean => {
  const [first = '', ...rest] = pieces
  const last = rest.pop()
  if (last === undefined) return name === first
  if (!name.startsWith(first) || !name.endsWith(last)) return false
  let place = first.length
  for (const piece of rest) {
    const found = name.indexOf(piece, place)
    if (found < 0) return false
    place = found + piece.length
  }
  return place <= name.length - last.length
}

const tagOf = ({ tags }: Row, dimension: `tag:${string}`): string | null => {
  const name = dimension.slice('tag:'.length)
  return Object.hasOwn(tags, name) ? (tags[name] ?? null) : null
}

/** True for the dimension of a tag. */
export const isTag = (dimension: Dimension): dimension is `tag:${string}` => dimension.startsWith('tag:')

const exactOf = (quantity: Quantity): Rational =>
  typeof quantity === 'number'
    ? rational(BigInt(quantity))
    : rational(quantity.numerator, quantity.denominator)
