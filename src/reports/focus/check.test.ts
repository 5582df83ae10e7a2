import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createFocusChecker } from './check.ts'
import { columnFacts, type FocusVersion, isFocusColumn } from './columns.ts'
import { manyRows, type NamedRow } from './focus.fixture.ts'
import { exportedColumns, exportedFeatures } from './layout.ts'
import { type FocusRule, focusRules } from './rules.ts'

const check = (
  rows: readonly NamedRow[],
  columns: readonly string[] = Object.keys(rows[0] ?? {}),
  version: FocusVersion = '1.4',
) => {
  const checker = createFocusChecker(columns, { version, features: exportedFeatures })
  for (const row of rows) checker.row(columns.map((column) => row[column] ?? null))
  return checker.result()
}

const usage = (): NamedRow => manyRows().find((row) => row['SkuMeter'] === 'Output Tokens') ?? {}
const credit = (): NamedRow => manyRows().find((row) => row['ChargeCategory'] === 'Credit') ?? {}

describe('the checker', () => {
  it.each(['1.2', '1.4'] as const)('finds nothing in an export of %s', (version) => {
    const rows = manyRows(version)
    expect(check(rows, exportedColumns(version), version)).toMatchObject({
      rows: 6,
      count: 0,
      violations: [],
    })
  })

  /** A change to the row of 500 output tokens at 60 a million, which is 0.03, and the one place that it breaks. */
  const broken: Partial<Record<FocusRule, readonly (readonly [column: string, cell: string | null])[]>> = {
    null: [
      ['BilledCost', null],
      ['ServiceName', null],
    ],
    'empty-text': [
      ['ChargeDescription', ''],
      ['x_Team', ''],
    ],
    decimal: [
      ['EffectiveCost', '3e-2'],
      ['EffectiveCost', '+0.03'],
      ['EffectiveCost', '1,000.00'],
      ['EffectiveCost', '0.03 USD'],
    ],
    instant: [
      ['ChargePeriodStart', '2023-11-15'],
      ['ChargePeriodStart', '2023-11-15T12:00:00+00:00'],
      ['ChargePeriodStart', '2023-11-15T11:60:00Z'],
    ],
    currency: [['BillingCurrency', 'usd']],
    unit: [['PricingUnit', 'per million tokens']],
    'key-values': [
      ['Tags', '{"a":{"b":1}}'],
      ['Tags', '{"a":1,"a":2}'],
      ['Tags', 'team=search'],
    ],
    'sku-price-details': [
      ['SkuPriceDetails', '{"ModelId":"gpt-4"}'],
      ['SkuPriceDetails', '{"GpuCount":"8"}'],
    ],
    'allowed-value': [
      ['PricingCategory', 'On-Demand'],
      ['ServiceCategory', 'AI'],
    ],
    subcategory: [['ServiceSubcategory', 'Block Storage']],
    'charge-period': [['ChargePeriodEnd', '2023-11-15T12:00:00Z']],
    pricing: [
      ['SkuPriceId', null],
      ['PricingCategory', null],
    ],
    'unit-of-quantity': [
      ['PricingUnit', null],
      ['ConsumedUnit', null],
    ],
    'list-cost': [
      ['ListCost', '0.0300000001'],
      ['ListCost', '0.0300000000011'],
    ],
    'contracted-cost': [['ContractedCost', '0.031']],
    'sku-of-price': [['SkuId', null]],
    'quantity-sign': [['ConsumedQuantity', '-500.0']],
  }
  const cases = Object.entries(broken).flatMap(([rule, changes]) =>
    changes.map(([column, cell]) => [rule, column, cell] as const),
  )

  it.each(cases)('names %s in %s: %s, and nothing else', (rule, column, cell) => {
    const { violations } = check([manyRows()[0] ?? {}, { ...usage(), [column]: cell }])
    expect(violations.map((each) => [each.rule, each.row, each.column])).toEqual([[rule, 2, column]])
  })

  const rulesOf = (rows: readonly NamedRow[], version: FocusVersion = '1.4') =>
    check(rows, exportedColumns(version), version).violations.map(({ rule, column }) => `${rule} ${column}`)

  it('names a billing period that ends before it begins, and a charge outside of it', () => {
    expect(rulesOf([{ ...usage(), BillingPeriodEnd: '2023-11-01T00:00:00Z' }])).toEqual([
      'billing-period BillingPeriodEnd',
      'charge-in-billing-period ChargePeriodEnd',
    ])
    expect(rulesOf([{ ...usage(), ChargePeriodStart: '2023-10-31T23:00:00Z' }])).toEqual([
      'charge-in-billing-period ChargePeriodStart',
    ])
  })

  it('names a unit price below nothing', () => {
    const change = { ListUnitPrice: '-60.0', ListCost: '-0.03' }
    expect(rulesOf([{ ...usage(), ...change }])).toEqual(['decimal-sign ListUnitPrice'])
  })

  it('asks no price and no consumption of a tax', () => {
    const tax = { ...credit(), ChargeCategory: 'Tax', ChargeFrequency: 'One-Time' }
    expect(rulesOf([tax])).toEqual([])
    expect(rulesOf([{ ...tax, PricingCategory: 'Standard' }])).toEqual(['pricing PricingCategory'])
    expect(rulesOf([{ ...tax, ConsumedQuantity: '1.0', ConsumedUnit: 'Requests' }])).toEqual([
      'consumed ConsumedQuantity',
    ])
  })

  it('lets a correction be anything: without price, negative, or another product', () => {
    const change = {
      ChargeClass: 'Correction',
      ListCost: '9.0',
      SkuPriceId: null,
      ConsumedQuantity: '-500.0',
    }
    expect(rulesOf([{ ...usage(), ...change }])).toEqual([])
  })

  it('names usage that consumed nothing', () => {
    expect(rulesOf([{ ...usage(), ConsumedQuantity: null, ConsumedUnit: null }])).toEqual([
      'consumed ConsumedQuantity',
    ])
  })

  it('names a credit that costs', () => {
    expect(rulesOf([{ ...credit(), BilledCost: '3.0' }])).toEqual(['credit-sign BilledCost'])
  })

  it('names a price that belongs to two SKUs, in any two rows', () => {
    expect(rulesOf([usage(), { ...usage(), SkuId: 'another' }])).toEqual(['sku-of-price SkuId'])
  })

  it('names in 1.2 what a third party bills', () => {
    const rows = manyRows('1.2').filter((row) => row['SkuMeter'] === 'Output Tokens')
    expect(
      rulesOf(
        rows.map((row) => ({ ...row, InvoiceIssuerName: 'Shop' })),
        '1.2',
      ),
    ).toEqual(['third-party BilledCost'])
  })

  it('takes a product for right that charges rounded one by one come to, and no more', () => {
    const row = { ...usage(), x_ChargeCount: '2', ListCost: '0.030000000002' }
    expect(rulesOf([row])).toEqual([])
    expect(rulesOf([{ ...row, x_ChargeCount: '1' }])).toEqual(['list-cost ListCost'])
  })

  const columnsOf = (columns: readonly string[], version: FocusVersion = '1.4') =>
    check([], columns, version).violations.map(({ rule, column }) => `${rule} ${column}`)
  const columns = exportedColumns('1.4')

  it('names columns that are missing, unknown, twice, too long or out of place', () => {
    expect(columnsOf(columns.filter((name) => name !== 'BilledCost'))).toEqual(['column-missing BilledCost'])
    expect(columnsOf(columns.filter((name) => name !== 'SkuMeter'))).toEqual(['column-missing SkuMeter'])
    expect(columnsOf(['Team', ...columns])).toEqual(['column-unknown Team'])
    expect(columnsOf(['ProviderName', ...columns])).toEqual(['column-unknown ProviderName'])
    expect(columnsOf([...columns, 'x_Team'])).toEqual(['column-twice x_Team'])
    expect(columnsOf([...columns, `x_${'a'.repeat(49)}`])).toEqual([`column-name x_${'a'.repeat(49)}`])
    expect(
      columnsOf(['x_First', ...columns.slice(0, 1)]).filter((each) => !each.startsWith('column-missing')),
    ).toEqual(['column-order BilledCost'])
  })

  it('asks for no column of a feature that is not declared', () => {
    const checker = createFocusChecker(
      columns.filter((name) => name !== 'SkuMeter'),
      { version: '1.4', features: [] },
    )
    expect(checker.result().count).toBe(0)
  })

  it('names a JSON column that is neither object nor array', () => {
    const fields = [...columns.slice(0, 38), 'ContractApplied']
    const row = { ...usage(), ContractApplied: '"none"' }
    expect(check([row], fields).violations.filter(({ row: at }) => at !== null)).toMatchObject([
      { rule: 'json', row: 1, column: 'ContractApplied' },
    ])
  })

  it('names a row of another shape', () => {
    const checker = createFocusChecker(columns, { version: '1.4', features: exportedFeatures })
    checker.misshapen('has 3 fields')
    expect(checker.result().violations).toEqual([
      { rule: 'row-shape', row: 1, column: null, message: 'has 3 fields' },
    ])
  })

  it('counts every violation and lists a hundred', () => {
    const rows = Array.from({ length: 130 }, () => ({ ...usage(), BillingCurrency: 'Dollar' }))
    const { count, byRule, violations } = check(rows)
    expect([count, byRule, violations.length]).toEqual([130, { currency: 130 }, 100])
  })

  it('has no rule that no test here breaks', () => {
    const inWords = [
      ...[
        'billing-period',
        'charge-in-billing-period',
        'decimal-sign',
        'consumed',
        'credit-sign',
        'third-party',
      ],
      ...[
        'column-missing',
        'column-unknown',
        'column-twice',
        'column-name',
        'column-order',
        'json',
        'row-shape',
      ],
    ]
    expect([...Object.keys(broken), ...inWords].sort()).toEqual(Object.keys(focusRules).sort())
  })

  it('names row and column of any one cell that is spoilt', () => {
    const rows = manyRows()
    const spoilt = (column: string): readonly string[] => {
      const kind = isFocusColumn(column) ? columnFacts(column).kind : 'text'
      const odd = {
        decimal: '1e-7',
        price: '1e-7',
        instant: 'today',
        choice: 'other',
        unit: '%',
        currency: '$',
      }
      return [
        '',
        ...(kind in odd ? [odd[kind as keyof typeof odd]] : []),
        ...(kind === 'key-value' ? ['{'] : []),
      ]
    }
    fc.assert(
      fc.property(
        fc.nat({ max: rows.length - 1 }),
        fc
          .constantFrom(...columns)
          .chain((column) => fc.tuple(fc.constant(column), fc.constantFrom(...spoilt(column)))),
        (index, [column, cell]) => {
          const { violations } = check(
            rows.map((row, at) => (at === index ? { ...row, [column]: cell } : row)),
          )
          expect(violations.filter(({ row }) => row !== index + 1)).toEqual([])
          expect(violations.map((each) => each.column)).toContain(column)
        },
      ),
    )
  })
})
