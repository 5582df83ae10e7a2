import type { AccruedRow, CallRow, ImportedRow } from '../../ledger/reading.ts'
import { type Picos, parsePicos, post } from '../../money/money.ts'
import { divide, multiply, parseDecimal, rational } from '../../money/rational.ts'
import type { Charge } from '../../pricing/price.ts'
import { parseInstant } from '../../time.ts'
import type { Meter } from '../../usage/meter.ts'
import type { FocusVersion } from './columns.ts'
import { createFocusFold } from './fold.ts'
import { exportedColumns } from './layout.ts'
import { rowMaker } from './rows.ts'
import { createSeriesBook, type SeriesAsked } from './series.ts'

/** A charge at so much a million. */
export const chargeOf = (
  meter: Meter,
  quantity: number,
  unitPrice: string,
  more: Partial<Charge> = {},
): Charge => {
  const per = more.per ?? 1_000_000
  const exact = divide(multiply(rational(BigInt(quantity)), parseDecimal(unitPrice)), rational(BigInt(per)))
  const row = { price: `row-${meter}`, source: 'https://example.com/prices' }
  return { ...{ meter, quantity, unitPrice, per, exact, amount: post(exact) }, ...row, ...more }
}

/** A call of team search, project rerank, at noon. */
export const callOf = (
  charges: readonly Charge[],
  call: Partial<CallRow['call']> = {},
  settlement: Partial<CallRow['settlement']> = {},
): CallRow => ({
  call: {
    ...{ id: 'a', at: parseInstant('2023-11-15T12:10:00Z'), provider: 'openai', model: 'gpt-4' },
    ...{
      endpoint: 'chat-completions',
      key: 'key_1',
      organization: 'acme',
      team: 'search',
      project: 'rerank',
    },
    ...{ environment: null, endUser: null, conversation: null, tags: { feature: 'top' }, ...call },
  },
  settlement: {
    ...{ kind: 'settled' as const, sequence: 2, callId: 'a', at: parseInstant('2023-11-15T12:10:02Z') },
    ...{ model: 'gpt-4-0613', tier: 'default', basis: 'measured' as const, currency: 'USD', charges },
    ...{ unpriced: [], resent: null, status: 200, note: null, bookVersion: 'book-1' },
    ...(settlement as object),
  },
})

const owner = {
  ...{ key: null, organization: null, team: 'search', project: null, environment: null, endUser: null },
  tags: {},
}

/** An hour of a stored gigabyte from 11:30 on, at half its list price. */
export const accruedOf = (amount: Picos, list: Picos): AccruedRow => ({
  ...{ kind: 'accrued', sequence: 9, accrualId: 'stay_1', at: parseInstant('2023-11-15T13:00:00Z') },
  ...{ from: parseInstant('2023-11-15T11:30:00Z'), to: parseInstant('2023-11-15T12:30:00Z'), owner },
  ...{ provider: 'openai', model: null, endpoint: 'assistants', conversation: null, holder: 'asst_1' },
  ...{
    object: 'file_1',
    basis: 'estimated',
    currency: 'USD',
    unpriced: [],
    counts: [],
    bookVersion: 'book-1',
  },
  list,
  charges: [
    {
      ...chargeOf('retrieval_gb_day', 1, '0.10', { per: 1 }),
      ...{ quantity: rational(1n, 24n), exact: rational(1n, 240n), amount },
      list: { unitPrice: '0.20', per: 1, price: 'row-list' },
    },
  ],
})

/** A day of a vendor's own report. */
export const importedOf = (charges: readonly Charge[], calls = 3): ImportedRow => ({
  ...{ kind: 'imported', sequence: 12, corrects: null, lineId: 'line', at: parseInstant('2023-11-17') },
  ...{ importer: 'openai-costs', account: 'org-main', role: 'usage', owner, provider: 'openai' },
  ...{ from: parseInstant('2023-11-15'), to: parseInstant('2023-11-16'), model: null, endpoint: 'costs' },
  ...{ tier: null, currency: 'USD', charges, unpriced: [], calls, bookVersion: 'book-1' },
  reported: {
    ...{ usage: [], amount: parsePicos('-3'), requests: null, lineItem: 'credit' },
    ...{ project: null, apiKey: null },
  },
})

/** A row by the names of its columns. */
export type NamedRow = Readonly<Record<string, string | null>>

/** What an export makes of calls, accruals and imported lines. */
export const rowsOf = (
  {
    calls = [],
    accrued = [],
    imported = [],
  }: {
    readonly calls?: readonly CallRow[]
    readonly accrued?: readonly AccruedRow[]
    readonly imported?: readonly ImportedRow[]
  },
  { version = '1.4', ...asked }: Partial<SeriesAsked> & { readonly version?: FocusVersion } = {},
): readonly NamedRow[] => {
  const book = createSeriesBook({ billingAccount: 'default', tags: [], isPromotion: () => false, ...asked })
  const fold = createFocusFold(book)
  fold.addCalls(calls)
  fold.addAccrued(accrued)
  fold.addImported(imported)
  const columns = exportedColumns(version)
  return [...fold.groups()]
    .map(rowMaker(version))
    .map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index] ?? null])))
}

/** Rows of many kinds: measured, estimated, accrued, imported, a promotion and a credit. */
export const manyRows = (version: FocusVersion = '1.4'): readonly NamedRow[] =>
  rowsOf(
    {
      calls: [
        callOf([chargeOf('input_text_tokens', 1_000, '30'), chargeOf('output_text_tokens', 500, '60')]),
        callOf(
          [chargeOf('cached_input_tokens', 7, '0.125')],
          { team: null },
          { basis: 'estimated', tier: 'flex' },
        ),
        callOf([chargeOf('image', 3, '0.04', { per: 1 })], { provider: 'here', project: null }),
      ],
      accrued: [accruedOf(parsePicos('0.004166666667'), parsePicos('0.008333333333'))],
      imported: [
        importedOf([
          chargeOf('request', 1, '3', { per: 1, price: 'vendor-reported', amount: parsePicos('-3') }),
        ]),
      ],
    },
    { version, tags: ['feature', 'team'] },
  )
