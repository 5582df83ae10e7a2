import { formatPicos, type Picos, post } from '../money/money.ts'
import { format, multiply, type Rational, rational, zero } from '../money/rational.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import type { Instant } from '../time.ts'
import { causeOfQuantity, differenceOf, isUnseen, type QuantityCause } from './reconciliation-causes.ts'
import { type CellGroup, type CellKey, dayMs, type ReconciliationCell } from './reconciliation-cell.ts'
import type { GroupEvidence } from './reconciliation-evidence.ts'
import {
  type Cause,
  type CellAmounts,
  causeOfMoney,
  follows,
  type GapKind,
  isWithin,
  signed,
} from './reconciliation-money.ts'
import { createOtherPrices, type OtherPrices } from './reconciliation-prices.ts'

/** A cell and why its sides differ. `kind` is null where they agree: in money, and in quantity where the vendor says
 * one. The whole gap of a cell has one kind; where several causes meet it is `unknown`. */
export type ReconciledCell = CellKey & {
  readonly requests: CellGroup['requests'] | null
  /** `vendor`: by the bill, else by the usage report; null where neither says. */
  readonly quantity: { readonly vendor: Rational | null; readonly ledger: Rational }
  readonly amounts: readonly GapAmount[]
  readonly kind: GapKind | null
  readonly because: string | null
}

/** One currency of a cell. `gap` is the vendor's amount less the ledger's, exactly. */
export type GapAmount = {
  readonly currency: string
  readonly vendor: Picos
  readonly ledger: Picos
  readonly gap: Picos
  /** Where the vendor's amount was converted: what it billed, and the rate. */
  readonly converted: { readonly currency: string; readonly amount: Picos; readonly rate: RateOfDay } | null
}

/** All cells of a period. The parts of a total sum to its gap, exactly. */
export type Reconciliation = {
  readonly cells: readonly ReconciledCell[]
  readonly totals: readonly ReconciledTotal[]
  /** No cell is unknown. */
  readonly isExplained: boolean
}

export type ReconciledTotal = {
  readonly currency: string
  readonly vendor: Picos
  readonly ledger: Picos
  readonly gap: Picos
  readonly parts: readonly { readonly kind: GapKind; readonly cells: number; readonly amount: Picos }[]
}

/** One unit of a currency in another, and the day that the rate is of. */
export type RateOfDay = { readonly factor: Rational; readonly date: string }

/** The rate between two currencies on a day; null where no dated rate says. */
export type RateOn = (asked: {
  readonly from: string
  readonly to: string
  readonly day: Instant
}) => RateOfDay | null

/** Splits every gap between the vendor's bill and the ledger. `groups` reach a day beyond the period on both sides, for
 * what is billed a day late. Quantities are compared first, of all meters of a day and model at once; then the money
 * of each cell must follow from what explains its quantity, or has a cause of its own where the quantity agrees. A cell
 * for which no one clear cause is found is `unknown`, whole. */
export const reconcile = (
  groups: readonly CellGroup[],
  asked: {
    readonly from: Instant
    readonly to: Instant
    readonly book: PriceBook
    /** The provider whose prices hold. */
    readonly pricesFrom: string
    readonly evidenceOf: (group: CellGroup) => GroupEvidence
    readonly rateOn?: RateOn
  },
): Reconciliation => {
  const byName = new Map(groups.map((group) => [nameOf(group, group.day), group]))
  const prices = createOtherPrices(asked.book, asked.pricesFrom)
  const cells = groups
    .filter(({ day }) => day >= asked.from && day < asked.to)
    .flatMap((group) => {
      const neighbours = [dayMs, -dayMs].flatMap((by) => byName.get(nameOf(group, group.day + by)) ?? [])
      return reconcileGroup(group, { ...asked, prices, neighbours, rateOn: asked.rateOn ?? noRate })
    })
    .sort(inOrder)
  return { cells, totals: totalsOf(cells), isExplained: cells.every(({ kind }) => kind !== 'unknown') }
}

type GroupAsked = {
  readonly prices: OtherPrices
  readonly neighbours: readonly CellGroup[]
  readonly evidenceOf: (group: CellGroup) => GroupEvidence
  readonly rateOn: RateOn
}

const noRate: RateOn = () => null

const reconcileGroup = (group: CellGroup, asked: GroupAsked): readonly ReconciledCell[] => {
  const differing = group.cells.filter((cell) => isDifferent(cell))
  const gaps = differing.map((cell) => amountsOf(cell)?.gap ?? null)
  const cause =
    differing.length === 0
      ? null
      : causeOfQuantity(group, {
          evidence: asked.evidenceOf(group),
          neighbours: asked.neighbours,
          money: gaps.reduce((sum, gap) => (sum === null || gap === null ? null : sum + gap), 0n),
        })
  return group.cells.map((cell) => reconciled(cell, group, cause, asked))
}

const isDifferent = (cell: ReconciliationCell): boolean => (differenceOf(cell) ?? zero).numerator !== 0n

const reconciled = (
  cell: ReconciliationCell,
  group: CellGroup,
  cause: QuantityCause | null,
  asked: GroupAsked,
): ReconciledCell => {
  const { day, project, model, meter, lineItem, vendor, ledger } = cell
  const amounts = gapAmounts(cell, asked.rateOn)
  const isEqual = !isDifferent(cell) && amounts.every(({ gap }) => gap === 0n)
  const found = isEqual
    ? null
    : (causeOf(cell, group, cause, { ...asked, amounts }) ?? unknownOf(cell, cause))
  return {
    ...{ day, project, model, meter, lineItem },
    requests: group.model === null ? null : group.requests,
    quantity: { vendor: vendor.billed ?? vendor.used, ledger: ledger.quantity },
    amounts,
    kind: found?.kind ?? null,
    because: found?.because ?? null,
  }
}

/** What is not explained, with what was found of it. */
const unknownOf = (cell: ReconciliationCell, cause: QuantityCause | null): Cause => {
  if (cell.meter === null) return { kind: 'unknown', because: 'a line of the bill that names no meter' }
  const difference = differenceOf(cell)
  const found =
    difference === null
      ? 'the vendor does not say how much'
      : difference.numerator === 0n
        ? 'quantities agree'
        : cause === null
          ? `quantities differ by ${signed(difference)}`
          : cause.because
  const isMoney = difference === null || difference.numerator === 0n || cause !== null
  return {
    kind: 'unknown',
    because: `${found}; ${isMoney ? 'the money does not follow' : 'no single cause fits'}`,
  }
}

const causeOf = (
  cell: ReconciliationCell,
  group: CellGroup,
  cause: QuantityCause | null,
  asked: GroupAsked & { readonly amounts: readonly GapAmount[] },
): Cause | null => {
  const amounts = amountsOf(cell)
  if (amounts === null || asked.amounts.some(({ converted }) => converted !== null)) {
    return isDifferent(cell) ? null : causeOfCurrency(cell, asked.amounts)
  }
  if (isDifferent(cell)) {
    if (cause === null) return null
    if (cause.beside !== null) return isOffset(cell, amounts, cause.beside) ? cause : null
    const { prices } = asked
    if (follows(cell, differenceOf(cell) ?? zero, { amounts, prices, anyTier: cause.anyTier })) return cause
    // Of a model that the ledger and the book do not have there is no price to hold the money against.
    const hasPrice = prices.unitsOf(cell, { anyTier: true }).length > 0
    return cause.kind === 'outside' && isUnseen(group) && !hasPrice ? cause : null
  }
  const shifted = cell.vendor.billed === null ? movedOf(cell, amounts, asked.neighbours) : null
  if (shifted !== null) return shifted
  if (differenceOf(cell) !== null) return causeOfMoney(cell, amounts, asked.prices)
  if (amounts.credits !== 0n) return causeOfMoney(cell, amounts, asked.prices)
  return isUnseen(group) && group.model !== null && asked.evidenceOf(group).unended.length === 0
    ? {
        kind: 'outside',
        because: 'the ledger has no call of that model and day; the bill does not say how much',
      }
    : null
}

/** `currency`: the bill's lines are in another currency, and quantities agree. With a dated rate the amounts must agree
 * within one part in twenty, which is what vendors' own rates and fees differ by; beyond that the price differs too. */
const causeOfCurrency = (cell: ReconciliationCell, amounts: readonly GapAmount[]): Cause | null => {
  if (differenceOf(cell) === null || cell.vendor.credits.size > 0 || cell.vendor.amounts.size !== 1)
    return null
  const [billed = ''] = cell.vendor.amounts.keys()
  const converted = amounts.find((each) => each.converted !== null)
  if (converted === undefined) {
    return {
      kind: 'currency',
      because: `quantities agree; billed in ${billed}, for which there is no dated rate`,
    }
  }
  const gap = converted.gap < 0n ? -converted.gap : converted.gap
  if (gap * 20n > converted.ledger) return null
  const { factor, date } = converted.converted?.rate ?? { factor: zero, date: '' }
  return {
    kind: 'currency',
    because: `quantities agree; billed in ${billed}, converted at ${format(factor)} of ${date}`,
  }
}

/** Whether the gap of a cell is the opposite of that of the same cell on the other day. */
const isOffset = (cell: ReconciliationCell, { vendor, ledger }: CellAmounts, beside: CellGroup): boolean => {
  const other = beside.cells.find((each) => each.meter === cell.meter && each.lineItem === cell.lineItem)
  const theirs = other === undefined ? null : amountsOf(other)
  if (other === undefined || theirs === null || theirs.credits !== 0n) return false
  const sum = vendor - ledger + theirs.vendor - theirs.ledger
  return isWithin(sum, cell) || isWithin(sum, other)
}

/** A bill without quantities whose money stands on the wrong day. */
const movedOf = (
  cell: ReconciliationCell,
  amounts: CellAmounts,
  neighbours: readonly CellGroup[],
): Cause | null => {
  const beside = neighbours.find((each) => isOffset(cell, amounts, each))
  if (beside === undefined || amounts.vendor === amounts.ledger || cell.meter === null) return null
  const when = beside.day > cell.day ? 'after' : 'before'
  return { kind: 'timing', because: `the day ${when} differs by the opposite amount` }
}

/** The amounts of a cell in its one currency; null where it has several. */
const amountsOf = ({
  vendor,
  ledger,
}: ReconciliationCell): (CellAmounts & { readonly gap: Picos }) | null => {
  const currencies = new Set([...vendor.amounts.keys(), ...ledger.amounts.keys()])
  if (currencies.size > 1) return null
  const [currency = ''] = currencies
  const amounts = { vendor: vendor.amounts.get(currency) ?? 0n, ledger: ledger.amounts.get(currency) ?? 0n }
  return { ...amounts, credits: vendor.credits.get(currency) ?? 0n, gap: amounts.vendor - amounts.ledger }
}

/** The gap of a cell in each of its currencies; in the ledger's alone where a dated rate brings all of it there. */
const gapAmounts = (cell: ReconciliationCell, rateOn: RateOn): readonly GapAmount[] => {
  const { vendor, ledger, day } = cell
  const [to, ...others] = ledger.amounts.keys()
  const [billed] = vendor.amounts
  if (
    to !== undefined &&
    others.length === 0 &&
    vendor.amounts.size === 1 &&
    billed !== undefined &&
    billed[0] !== to
  ) {
    const [currency, amount] = billed
    const rate = rateOn({ from: currency, to, day })
    if (rate !== null) {
      const [inLedgers, own] = [
        post(multiply(rational(amount, 10n ** 12n), rate.factor)),
        ledger.amounts.get(to) ?? 0n,
      ]
      const converted = { currency, amount, rate }
      return [{ currency: to, vendor: inLedgers, ledger: own, gap: inLedgers - own, converted }]
    }
  }
  return [...new Set([...vendor.amounts.keys(), ...ledger.amounts.keys()])].sort().map((currency) => {
    const [theirs, ours] = [vendor.amounts.get(currency) ?? 0n, ledger.amounts.get(currency) ?? 0n]
    return { currency, vendor: theirs, ledger: ours, gap: theirs - ours, converted: null }
  })
}

const totalsOf = (cells: readonly ReconciledCell[]): readonly ReconciledTotal[] => {
  const all = cells.flatMap(({ amounts, kind }) => amounts.map((each) => ({ ...each, kind })))
  const byCurrency = Map.groupBy(all, ({ currency }) => currency)
  return [...byCurrency]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, its]) => ({
      currency,
      ...{ vendor: sumOf(its, 'vendor'), ledger: sumOf(its, 'ledger'), gap: sumOf(its, 'gap') },
      parts: [...Map.groupBy(its, ({ kind }) => kind)].flatMap(([kind, part]) =>
        kind === null ? [] : [{ kind, cells: part.length, amount: sumOf(part, 'gap') }],
      ),
    }))
}

const sumOf = (amounts: readonly GapAmount[], of: 'vendor' | 'ledger' | 'gap'): Picos =>
  amounts.reduce((sum, each) => sum + each[of], 0n)

const nameOf = ({ project, model }: CellGroup, day: Instant): string => JSON.stringify([day, project, model])

const inOrder = (a: ReconciledCell, b: ReconciledCell): number => {
  if (a.day !== b.day) return a.day - b.day
  const [x, y] = [a, b].map(({ project, model, meter, lineItem }) =>
    [project, model, meter, lineItem].join('\n'),
  )
  return (x ?? '') < (y ?? '') ? -1 : 1
}

/** An amount with its sign, for people: `+0.25`. */
export const signedAmount = (amount: Picos): string => `${amount > 0n ? '+' : ''}${formatPicos(amount)}`
