import type { Adjustment, Resent } from '../ledger/entry.ts'
import type { Imported } from '../ledger/imported.ts'
import type { AccruedRow, CallRow, ImportedRow } from '../ledger/reading.ts'
import type { Picos } from '../money/money.ts'
import { post } from '../money/money.ts'
import { multiply, rational } from '../money/rational.ts'
import type { Charge, Unpriced } from '../pricing/price.ts'
import type { Instant } from '../time.ts'
import { type Meter, meterFacts } from '../usage/meter.ts'
import {
  isOwn,
  type KeptReason,
  type Priced,
  pricedOfCall,
  type RerateBooks,
  repriceCharge,
  repriceUnpriced,
} from './rerate-charge.ts'

/** A charge before and after; null where there is none. */
export type ChangedCharge = {
  readonly meter: Meter
  readonly was: Charge | null
  readonly now: Charge | null
}

/** What keeps its price although another may be right, and why. `accrued`: what time alone came to is no call, and no
 * entry can correct it. `closed`: an imported line lies in a period of its provider that is closed. */
export type Kept = { readonly meter: Meter; readonly why: KeptReason | 'accrued' | 'closed' }

/** What charges become by a corrected book. */
export type RepricedCharges = {
  readonly before: Picos
  readonly after: Picos
  readonly changes: readonly ChangedCharge[]
  readonly kept: readonly Kept[]
  readonly charges: readonly Charge[]
  readonly unpriced: readonly Unpriced[]
}

/** Which correction it is, when it is made, and the version of the book with it. */
export type Correction = { readonly name: string; readonly at: Instant; readonly bookVersion: string }

/** Prices everything anew that a corrected book prices otherwise. What is the same, or cannot be priced anew, keeps its
 * charge as it is. */
const repriceAll = (of: Priced, books: RerateBooks): RepricedCharges => {
  const charges: Charge[] = []
  const changes: ChangedCharge[] = []
  const kept: Kept[] = []
  const unpriced: Unpriced[] = []
  const done = new Set<Charge>()
  for (const charge of of.charges.filter(isOwn)) {
    const result = repriceCharge(charge, of, books)
    const was = (result.kind === 'changed' ? result.was : result.charges).filter((each) => !done.has(each))
    for (const each of was) done.add(each)
    charges.push(...(result.kind === 'changed' ? result.charges : was))
    if (result.kind === 'changed') changes.push(...paired(result.was, result.charges))
    if (result.kind === 'kept') kept.push({ meter: result.meter, why: result.why })
  }
  charges.push(...of.charges.filter((charge) => !isOwn(charge) && !done.has(charge)))
  for (const each of of.unpriced) {
    const result = repriceUnpriced(each, of, books)
    if (result === null || result.kind !== 'changed') unpriced.push(each)
    else {
      charges.push(...result.charges)
      changes.push(...paired([], result.charges))
    }
    if (result?.kind === 'kept') kept.push({ meter: result.meter, why: result.why })
  }
  return { before: sumOf(of.charges), after: sumOf(charges), changes, kept, charges, unpriced }
}

/** The adjustment that puts new charges in the place of a call's: what was measured stays what it was. */
export const adjustmentOf = (
  { settlement }: CallRow,
  { charges, unpriced }: RepricedCharges,
  { name, at, bookVersion }: Correction,
): Adjustment => {
  const { kind: _, sequence, unresolved, resent, note, ...rest } = settlement
  return {
    ...{ ...rest, corrects: sequence, at, charges, unpriced, bookVersion },
    ...(unresolved !== undefined && unpriced.length > 0 && { unresolved }),
    resent: resent === null ? null : resentAt(resent, { was: settlement.charges, now: charges }),
    note: rerateNote(note, { name, bookVersion }),
  }
}

/** The line that takes the place of an imported one, with new charges. */
export const lineOf = (
  row: ImportedRow,
  { charges, unpriced }: RepricedCharges,
  { at, bookVersion }: Correction,
): Imported => {
  const { kind: _, sequence: __, corrects: ___, ...line } = row
  return { ...line, at, charges, unpriced, bookVersion }
}

/** What a call becomes. */
export const rerateCall = (row: CallRow, books: RerateBooks): RepricedCharges =>
  repriceAll(pricedOfCall(row), books)

/** What an imported line becomes. */
export const rerateImported = (row: ImportedRow, books: RerateBooks): RepricedCharges => {
  const { from, to, provider, model, tier, currency, charges, unpriced } = row
  return repriceAll({ at: from, completedAt: to, provider, model, tier, currency, charges, unpriced }, books)
}

/** What an accrual keeps, although another price is right. */
export const rerateAccrued = (row: AccruedRow, books: RerateBooks): readonly Kept[] => {
  const { from, to, provider, model, currency, charges, unpriced } = row
  const of = { at: from, completedAt: to, provider, model, tier: null, currency, charges, unpriced }
  // What a stay posts is rounded to date, less what was posted: only its price tells whether it would be another.
  return repriceAll(of, books).changes.flatMap(({ meter, was, now }) =>
    was?.unitPrice === now?.unitPrice && was?.per === now?.per ? [] : [{ meter, why: 'accrued' as const }],
  )
}

const paired = (was: readonly Charge[], now: readonly Charge[]): readonly ChangedCharge[] => {
  const keyOf = ({ meter, broughtBy }: Charge): string => `${meter} ${broughtBy ?? ''}`
  const before = new Map(was.map((charge) => [keyOf(charge), charge]))
  const after = new Map(now.map((charge) => [keyOf(charge), charge]))
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((key) => {
    const [one, other] = [before.get(key) ?? null, after.get(key) ?? null]
    const meter = (one ?? other)?.meter
    return meter === undefined || one?.amount === other?.amount ? [] : [{ meter, was: one, now: other }]
  })
}

/** History that was sent again has the same share of the input's cost as before. */
const resentAt = (
  resent: Resent,
  { was, now }: { readonly was: readonly Charge[]; readonly now: readonly Charge[] },
): Resent => {
  const input = (charges: readonly Charge[]): Picos =>
    sumOf(charges.filter(({ meter }) => meterFacts(meter).direction === 'input'))
  const [before, after] = [input(was), input(now)]
  if (before === 0n) return resent
  const amount = multiply(rational(resent.amount, before), rational(after, 10n ** 12n))
  return { ...resent, amount: post(amount) }
}

/** The note with what was done; an earlier re-rating is told by the entry that is corrected. */
const rerateNote = (
  note: string | null,
  { name, bookVersion }: Pick<Correction, 'name' | 'bookVersion'>,
): string =>
  [
    ...(note ?? '').split('; ').filter((part) => part !== '' && !part.startsWith('re-rated by ')),
    `re-rated by ${name} (book ${bookVersion})`,
  ].join('; ')

const sumOf = (charges: readonly { readonly amount: Picos }[]): Picos =>
  charges.reduce((sum, { amount }) => sum + amount, 0n)
