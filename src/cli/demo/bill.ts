import type { SpendRow } from '../../ledger/reading.ts'
import { formatPicos, type Picos, parsePicos, postedPlaces } from '../../money/money.ts'
import { formatScaled, rational, roundHalfEven } from '../../money/rational.ts'
import { formatShare, shareOf } from '../../reports/share.ts'
import { spend } from '../../reports/spend.ts'
import type { BookRow } from '../../sandbox/books.ts'
import { meterFacts } from '../../usage/meter.ts'
import { formatCount, formatQuantity } from '../reports.ts'
import { formatTable } from '../table.ts'

type Look = { readonly color: boolean }

/** The bill from the ledger: who, which model, which meter, and how much of the input was history that had
 * been paid before. */
export const billTable = (rows: readonly SpendRow[], look: Look): string => {
  const meters = spend(rows, { by: ['team', 'model', 'meter'] })
  const models = new Map(
    spend(rows, { by: ['team', 'model'] }).groups.map((group) => [group.names.join('\n'), group]),
  )
  const lines = [...meters.groups].sort(byNames).map((group) => {
    const [team, model, meter] = group.names
    const input = meter !== null && meter !== undefined && meterFacts(meter as 'image').direction === 'input'
    const resent = input ? models.get([team, model].join('\n'))?.resent : null
    return [
      team ?? '(none)',
      model ?? '(none)',
      meter ?? '(none)',
      group.quantity === null ? '' : formatQuantity(group.quantity.amount),
      formatPicos(group.amount),
      resent ? `${rounded(resent.amount)} (${formatShare(shareOf(resent.amount, group.amount))})` : '',
    ]
  })
  const [total] = spend(rows, { by: [] }).totals
  const sum = total === undefined ? [] : [['total', '', '', '', formatPicos(total.amount), resentOf(total)]]
  return formatTable(
    [
      { title: 'team' },
      { title: 'model' },
      { title: 'meter' },
      { title: 'quantity', align: 'right' },
      { title: 'USD', align: 'right' },
      { title: 'of which history sent again', align: 'right' },
    ],
    lines,
    { ...look, totals: sum },
  )
}

const resentOf = (total: { amount: Picos; resent: { amount: Picos } | null }): string =>
  total.resent === null
    ? ''
    : `${rounded(total.resent.amount)} (${formatShare(shareOf(total.resent.amount, total.amount))})`

/** To a millionth: apportioned amounts have digits that tell nobody anything. */
const rounded = (amount: Picos): string =>
  formatScaled(roundHalfEven(rational(amount, 10n ** BigInt(postedPlaces)), 6), 6)

const byNames = (
  a: { names: readonly (string | null)[] },
  b: { names: readonly (string | null)[] },
): number => (a.names.join('\n') < b.names.join('\n') ? -1 : 1)

/** One line a model and meter: what the ledger says, what the vendor's own books say, and the difference. */
export type Comparison = {
  readonly model: string
  readonly meter: string
  readonly ledger: { readonly quantity: string; readonly amount: Picos }
  readonly vendor: { readonly quantity: string; readonly amount: Picos }
}

/** Holds the ledger against the books of the sandbox, which were kept apart from it. */
export const compareBooks = (rows: readonly SpendRow[], books: readonly BookRow[]): readonly Comparison[] => {
  const ledger = new Map(
    spend(rows, { by: ['model', 'meter'] }).groups.map((group) => [
      group.names.join('\n'),
      {
        quantity: group.quantity === null ? '0' : formatQuantity(group.quantity.amount),
        amount: group.amount,
      },
    ]),
  )
  const vendor = new Map(
    books
      .filter(({ quantity }) => quantity > 0)
      .map((row) => [
        `${row.model}\n${row.meter}`,
        { quantity: formatCount(row.quantity), amount: parsePicos(row.amount ?? '0') },
      ]),
  )
  const nothing = { quantity: '0', amount: 0n }
  return [...new Set([...ledger.keys(), ...vendor.keys()])].sort().map((name) => {
    const [model = '', meter = ''] = name.split('\n')
    return { model, meter, ledger: ledger.get(name) ?? nothing, vendor: vendor.get(name) ?? nothing }
  })
}

/** The comparison for people, with the difference of the sums below. */
export const booksTable = (comparisons: readonly Comparison[], look: Look): string => {
  const sum = (side: 'ledger' | 'vendor'): Picos =>
    comparisons.reduce((total, each) => total + each[side].amount, 0n)
  const [ours, theirs] = [sum('ledger'), sum('vendor')]
  return formatTable(
    [
      { title: 'model' },
      { title: 'meter' },
      { title: 'ledger', align: 'right' },
      { title: 'vendor', align: 'right' },
      { title: 'ledger USD', align: 'right' },
      { title: 'vendor USD', align: 'right' },
      { title: 'difference', align: 'right' },
    ],
    comparisons.map(({ model, meter, ledger, vendor }) => [
      model,
      meter,
      ledger.quantity,
      vendor.quantity,
      formatPicos(ledger.amount),
      formatPicos(vendor.amount),
      formatPicos(ledger.amount - vendor.amount),
    ]),
    {
      ...look,
      totals: [['total', '', '', '', formatPicos(ours), formatPicos(theirs), formatPicos(ours - theirs)]],
    },
  )
}
