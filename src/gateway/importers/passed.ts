import type { SpendRow } from '../../ledger/reading.ts'
import type { Picos } from '../../money/money.ts'
import {
  add,
  compare,
  divide,
  multiply,
  type Rational,
  rational,
  subtract,
  zero,
} from '../../money/rational.ts'
import type { Instant } from '../../time.ts'
import { type Meter, meterFacts } from '../../usage/meter.ts'
import { exactQuantity, type Quantity, toQuantity } from '../../usage/usage.ts'
import type { Gathered } from './gather.ts'
import { amountOf, postedAmount } from './line.ts'

/** What of a line did not pass the gateway. `share` of its stated amount; `before`: how much of what is billed by its
 * meters was counted before it in the same bucket, for free allowances. */
export type Rest = {
  readonly usage: ReadonlyMap<Meter, Quantity>
  readonly requests: number
  readonly amount: Rational | null
  readonly before: Readonly<{ [M in Meter]?: Quantity }>
}

/** What of one measure came to, and passed. */
type Cell = { quantity: Rational; readonly amounts: Map<string, Picos> }

const hourMs = 3_600_000

/** Meters by which a vendor's report and a reply's usage may call the same thing: reasoning is output to a report, and
 * every web search a web search. */
const sameAs: Readonly<{ [M in Meter]?: Meter }> = {
  cached_input_text_tokens: 'cached_input_tokens',
  web_search_preview_call: 'web_search_call',
}

const measureOf = (meter: Meter): string => {
  const { pricedAsParent, parent } = meterFacts(meter)
  return sameAs[meter] ?? (pricedAsParent === true && parent !== undefined ? parent : meter)
}

/** Folds what a provider's calls came to through the gateway, by hour, model and measure: imported lines are not of
 * it. */
export const createPassed = (rows: readonly SpendRow[]) => {
  const cells = new Map<string, Map<string, Cell>>()
  for (const row of rows) {
    if (row.basis === 'imported') continue
    const place = placeOf(row.provider, row.hour)
    const inHour = getOrMake(cells, place, () => new Map<string, Cell>())
    const measure = row.meter === null ? 'requests' : measureOf(row.meter)
    const cell = getOrMake(inHour, `${row.model ?? ''}\n${measure}`, () => ({
      quantity: zero,
      amounts: new Map(),
    }))
    if (row.meter === null) cell.quantity = add(cell.quantity, rational(BigInt(row.calls)))
    else {
      cell.quantity = add(cell.quantity, exactQuantity(row.meter, row.quantity))
      cell.amounts.set(row.currency, (cell.amounts.get(row.currency) ?? 0n) + row.amount)
    }
  }
  return cells
}

type Cells = ReturnType<typeof createPassed>

/** One thing that was reported in one bucket, and the lines that report it. */
type Group = {
  readonly from: Instant
  readonly to: Instant
  readonly provider: string
  readonly model: string | null
  /** A measure; or an amount, where nothing else is known. */
  readonly measure: string
  readonly currency: string | null
  readonly parts: { readonly line: number; readonly meter: Meter | null; readonly quantity: Rational }[]
}

/** What of each line did not pass the gateway: of each bucket, model and meter the reported quantity less what the
 * ledger has of calls through the gateway, never below zero, in whole units spread over the lines that report it. What
 * passed is taken off once: first from lines that name the model, then from those that do not. */
export const restsOf = (lines: readonly Gathered[], cells: Cells): readonly Rest[] => {
  const drafts = lines.map(() => ({
    usage: new Map<Meter, Quantity>(),
    requests: 0,
    amount: null as Rational | null,
    before: {} as { [M in Meter]?: Quantity },
  }))
  const passedOf = lines.map(() => ({ requests: false, meters: false }))
  for (const group of groupsOf(lines)) {
    const passed = take(cells, group)
    const total = group.parts.reduce((sum, { quantity }) => add(sum, quantity), zero)
    const rest = compare(total, passed) > 0 ? subtract(total, passed) : zero
    let counted = compare(total, passed) > 0 ? passed : total
    const isWhole = group.parts.every(({ quantity }) => quantity.denominator === 1n)
    const shares =
      passed.numerator === 0n
        ? group.parts.map(({ quantity }) => quantity)
        : spread(rest, total, group.parts, isWhole)
    group.parts.forEach(({ line, meter }, index) => {
      const [draft, share, seen] = [drafts[line], shares[index] ?? zero, passedOf[line]]
      if (draft === undefined || seen === undefined) return
      const isSome = passed.numerator > 0n
      if (group.currency !== null) draft.amount = share
      else if (meter === null) {
        draft.requests = Number(share.numerator)
        seen.requests ||= isSome
      } else {
        draft.usage.set(meter, toQuantity(share))
        if (meterFacts(meter).unit === 'gigabyte-day') draft.before[meter] = toQuantity(counted)
        seen.meters ||= isSome
      }
      counted = add(counted, share)
    })
  }
  return lines.map((line, index) => {
    const draft = drafts[index] ?? { usage: new Map(), requests: 0, amount: null, before: {} }
    if (line.amount === null || draft.amount !== null) return draft
    const seen = passedOf[index] ?? { requests: false, meters: false }
    if (!seen.requests && !seen.meters) return { ...draft, amount: amountOf(line.amount) }
    return { ...draft, amount: multiply(amountOf(line.amount), shareOf(line, draft, seen)) }
  })
}

/** Which part of a line's stated amount is posted: as much as of its units; of its requests, where the vendor's own
 * sum was the price of those that passed, and no unit of them is known. */
const shareOf = (
  line: Gathered,
  rest: Rest,
  passed: { readonly requests: boolean; readonly meters: boolean },
): Rational => {
  const byRequests = line.usage.size === 0 || (passed.requests && !passed.meters)
  if (byRequests && line.requests !== null && line.requests > 0) {
    return rational(BigInt(rest.requests), BigInt(line.requests))
  }
  const sum = (usage: ReadonlyMap<Meter, Quantity>): Rational =>
    [...usage].reduce((total, [meter, quantity]) => add(total, exactQuantity(meter, quantity)), zero)
  const whole = sum(line.usage)
  return whole.numerator === 0n ? rational(1n) : divide(sum(rest.usage), whole)
}

const groupsOf = (lines: readonly Gathered[]): readonly Group[] => {
  const groups = new Map<string, Group>()
  lines.forEach((line, index) => {
    if (!line.ofCalls) return
    const { from, to, provider, model } = line
    const put = (measure: string, meter: Meter | null, quantity: Rational, currency: string | null): void => {
      const key = `${from}\n${to}\n${provider}\n${model ?? ''}\n${measure}`
      const group = getOrMake(groups, key, () => ({
        from,
        to,
        provider,
        model,
        measure,
        currency,
        parts: [],
      }))
      group.parts.push({ line: index, meter, quantity })
    }
    for (const [meter, quantity] of line.usage)
      put(measureOf(meter), meter, exactQuantity(meter, quantity), null)
    if (line.requests !== null) put('requests', null, rational(BigInt(line.requests)), null)
    const hasOnlyAmount =
      line.usage.size === 0 && (line.requests ?? 0) === 0 && line.amount !== null && line.amount > 0n
    if (hasOnlyAmount) {
      const picos = postedAmount(line.amount ?? 0n)
      put(`amount ${line.currency}`, null, rational(picos, 10n ** 12n), line.currency)
    }
  })
  // What is most precise takes what passed first.
  const rank = ({ currency, model }: Group): number => (currency === null ? 0 : 2) + (model === null ? 1 : 0)
  return [...groups.values()].toSorted((a, b) => rank(a) - rank(b))
}

/** What passed of a group, which is then taken: nothing takes it a second time. */
const take = (cells: Cells, { from, to, provider, model, measure, currency }: Group): Rational => {
  let sum = zero
  for (let hour = from; hour < to; hour += hourMs) {
    const inHour = cells.get(placeOf(provider, hour))
    if (inHour === undefined) continue
    const names = model !== null && currency === null ? [`${model}\n${measure}`] : [...inHour.keys()]
    for (const name of names) {
      const cell = inHour.get(name)
      const [itsModel, itsMeasure] = name.split('\n')
      if (cell === undefined || (model !== null && itsModel !== model)) continue
      if (currency === null) {
        if (itsMeasure !== measure) continue
        sum = add(sum, cell.quantity)
        inHour.delete(name)
      } else {
        sum = add(sum, rational(cell.amounts.get(currency) ?? 0n, 10n ** 12n))
        cell.amounts.delete(currency)
      }
    }
  }
  return sum
}

/** Shares of a rest in proportion to quantities: whole ones by the largest remainder, ties to the first; others
 * exactly. */
const spread = (
  rest: Rational,
  total: Rational,
  parts: Group['parts'],
  isWhole: boolean,
): readonly Rational[] => {
  if (rest.numerator === 0n || total.numerator === 0n) return parts.map(() => zero)
  const exact = parts.map(({ quantity }) => divide(multiply(quantity, rest), total))
  if (!isWhole || rest.denominator !== 1n) return exact
  const floors = exact.map(({ numerator, denominator }) => numerator / denominator)
  let left = rest.numerator - floors.reduce((sum, each) => sum + each, 0n)
  const order = exact
    .map((each, index) => ({ index, over: subtract(each, rational(floors[index] ?? 0n)) }))
    .toSorted((a, b) => compare(b.over, a.over) || a.index - b.index)
  for (const { index } of order) {
    if (left === 0n) break
    floors[index] = (floors[index] ?? 0n) + 1n
    left -= 1n
  }
  return floors.map((each) => rational(each))
}

const placeOf = (provider: string, hour: Instant): string => `${hour} ${provider}`

const getOrMake = <Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value => {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = make()
  map.set(key, made)
  return made
}
