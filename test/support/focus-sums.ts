import { parse } from 'csv-parse/sync'
import { exportFocus, focusTexts } from '../../src/gateway/reporting/focus.ts'
import type { FocusSource } from '../../src/gateway/reporting/focus-source.ts'
import { parsePicos } from '../../src/money/money.ts'
import type { Stretch } from './plain-names.ts'

/** What the rows of a FOCUS export come to: effective and list cost by currency and name, and in all. `violations`: of
 * its rules, the first of them. */
export type FocusSums = {
  readonly by: Readonly<
    Record<string, ReadonlyMap<string, { readonly amount: bigint; readonly list: bigint }>>
  >
  readonly billed: bigint
  readonly charges: number
  readonly violations: readonly unknown[]
}

const columns = {
  day: 'ChargePeriodStart',
  team: 'x_Team',
  model: 'x_ModelId',
  meter: 'x_Meter',
  provider: 'x_ProviderId',
} as const

/** Exports a period as CSV and sums the rows up. */
export const focusSums = async (source: FocusSource, period: Stretch): Promise<FocusSums> => {
  const by = Object.fromEntries(
    Object.keys(columns).map((name) => [name, new Map<string, { amount: bigint; list: bigint }>()]),
  )
  let [billed, charges, head] = [0n, 0, '']
  const asked = { version: '1.4' as const, ...period, billingAccount: 'default', tags: ['feature'] }
  const { check } = await exportFocus(
    source,
    { ...asked, isPromotion: () => false },
    focusTexts.csv,
    (piece) => {
      const rows: Readonly<Record<string, string>>[] = parse(head + piece, { columns: true })
      if (head === '') head = piece.slice(0, piece.indexOf('\n') + 1)
      for (const row of rows) {
        for (const [name, column] of Object.entries(columns)) {
          const cell = name === 'day' ? row[column]?.slice(0, 10) : row[column]
          const key = JSON.stringify([row['BillingCurrency'], cell === '' ? null : cell])
          const sum = by[name]?.get(key) ?? { amount: 0n, list: 0n }
          by[name]?.set(key, sum)
          sum.amount += picos(row['EffectiveCost'])
          sum.list += picos(row['ListCost'])
        }
        billed += picos(row['BilledCost'])
        charges += Number(row['x_ChargeCount'])
      }
    },
  )
  return { by, billed, charges, violations: check.violations }
}

const picos = (written: string | undefined): bigint => parsePicos(written ?? '')
