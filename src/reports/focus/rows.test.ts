import { describe, expect, it } from 'vitest'
import { parsePicos } from '../../money/money.ts'
import { parseInstant } from '../../time.ts'
import { accruedOf, callOf, chargeOf, importedOf, rowsOf } from './focus.fixture.ts'

const input = chargeOf('input_text_tokens', 1_000, '30')

describe('a row of an export', () => {
  it('is what one meter at one price came to in an hour', () => {
    const rows = rowsOf({
      calls: [
        callOf([input, chargeOf('output_text_tokens', 500, '60')]),
        callOf([chargeOf('input_text_tokens', 2_000, '30')], { at: parseInstant('2023-11-15T12:59:59Z') }),
        callOf([input], { at: parseInstant('2023-11-15T13:00:00Z') }),
      ],
    })
    expect(
      rows.map((row) => [
        row['ChargePeriodStart'],
        row['SkuMeter'],
        row['ConsumedQuantity'],
        row['ListCost'],
        row['x_CallCount'],
      ]),
    ).toEqual([
      ['2023-11-15T12:00:00Z', 'Input Tokens', '3000.0', '0.09', '2'],
      ['2023-11-15T12:00:00Z', 'Output Tokens', '500.0', '0.03', '1'],
      ['2023-11-15T13:00:00Z', 'Input Tokens', '1000.0', '0.03', '1'],
    ])
  })

  it('says what was bought, by whom and of whom', () => {
    expect(rowsOf({ calls: [callOf([input])] })).toEqual([
      {
        BilledCost: '0.03',
        BillingAccountId: 'acme',
        BillingAccountName: null,
        BillingCurrency: 'USD',
        BillingPeriodEnd: '2023-12-01T00:00:00Z',
        BillingPeriodStart: '2023-11-01T00:00:00Z',
        ChargeCategory: 'Usage',
        ChargeClass: null,
        ChargeDescription: 'gpt-4-0613: Input Tokens',
        ChargeFrequency: 'Usage-Based',
        ChargePeriodEnd: '2023-11-15T13:00:00Z',
        ChargePeriodStart: '2023-11-15T12:00:00Z',
        ConsumedQuantity: '1000.0',
        ConsumedUnit: 'Tokens',
        ContractedCost: '0.03',
        ContractedUnitPrice: '30.0',
        EffectiveCost: '0.03',
        HostProviderName: 'OpenAI',
        InvoiceIssuerName: 'OpenAI',
        ListCost: '0.03',
        ListUnitPrice: '30.0',
        PricingCategory: 'Standard',
        PricingQuantity: '0.001',
        PricingUnit: '1000000 Tokens',
        ServiceCategory: 'AI and Machine Learning',
        ServiceName: 'OpenAI API',
        ServiceProviderName: 'OpenAI',
        ServiceSubcategory: 'Generative AI',
        SkuId: 'openai/gpt-4-0613/input_text_tokens',
        SkuMeter: 'Input Tokens',
        SkuPriceDetails:
          '{"x_ModelId":"gpt-4-0613","x_TokenDirection":"Input","x_TokenCacheAction":"Uncached","x_Modality":"text"}',
        SkuPriceId: 'openai/gpt-4-0613/input_text_tokens/row-input_text_tokens',
        SubAccountId: 'search/rerank',
        SubAccountName: 'rerank',
        Tags: null,
        x_Basis: 'measured',
        x_BookVersion: 'book-1',
        x_CallCount: '1',
        x_ChargeCount: '1',
        x_Meter: 'input_text_tokens',
        x_ModelId: 'gpt-4-0613',
        x_PriceSource: 'https://example.com/prices',
        x_Project: 'rerank',
        x_ProviderId: 'openai',
        x_ServiceTier: 'default',
        x_Team: 'search',
        x_TokenCacheAction: 'Uncached',
        x_TokenDirection: 'Input',
      },
    ])
  })

  it('names provider and publisher in 1.2, and nobody who hosts', () => {
    const [row = {}] = rowsOf({ calls: [callOf([input])] }, { version: '1.2' })
    expect([row['ProviderName'], row['PublisherName'], 'HostProviderName' in row]).toEqual([
      'OpenAI',
      'OpenAI',
      false,
    ])
  })

  it('bills nothing of an estimate', () => {
    const [row] = rowsOf({ calls: [callOf([input], {}, { basis: 'estimated' })] })
    expect([row?.['BilledCost'], row?.['EffectiveCost'], row?.['x_Basis']]).toEqual([
      '0.0',
      '0.03',
      'estimated',
    ])
  })

  const half = {
    ...chargeOf('input_text_tokens', 1_000, '15'),
    list: { unitPrice: '30', per: 1_000_000, price: 'list' },
  }
  const costsOf = (isPromotion: boolean) => {
    const [row] = rowsOf({ calls: [callOf([half])] }, { isPromotion: () => isPromotion })
    return ['ListCost', 'ContractedCost', 'ContractedUnitPrice', 'EffectiveCost'].map((name) => row?.[name])
  }

  it('takes a contract for the contracted price', () => {
    expect(costsOf(false)).toEqual(['0.03', '0.015', '15.0', '0.015'])
  })

  it('takes a promotion for no contract', () => {
    expect(costsOf(true)).toEqual(['0.03', '0.03', '30.0', '0.015'])
  })

  it('has the factors of the vendor in its unit price', () => {
    const multipliers = [{ name: 'residency', factor: '1.1', price: 'factor' }]
    const [row] = rowsOf({ calls: [callOf([{ ...input, multipliers, amount: parsePicos('0.033') }])] })
    expect([row?.['ListUnitPrice'], row?.['ListCost']]).toEqual(['33.0', '0.033'])
    expect(row?.['SkuPriceId']).toMatch(/row-input_text_tokens\/residency x 1.1$/)
  })

  it('is by the million of tokens where the vendor prices by the thousand, and as the vendor says of what is no token', () => {
    const rows = rowsOf({
      calls: [
        callOf([
          chargeOf('input_text_tokens', 1_000, '0.03', { per: 1_000 }),
          chargeOf('web_search_call', 3, '10', { per: 1_000 }),
        ]),
      ],
    })
    const names = ['ListUnitPrice', 'PricingUnit', 'PricingQuantity', 'ConsumedUnit'] as const
    expect(rows.map((row) => names.map((name) => row[name]))).toEqual([
      ['30.0', '1000000 Tokens', '0.001', 'Tokens'],
      ['10.0', '1000 Calls', '0.003', 'Calls'],
    ])
  })

  it('of an accrual is about the hours it lies in, at the list price to date', () => {
    const [row] = rowsOf({ accrued: [accruedOf(parsePicos('0.004166666667'), parsePicos('0.008333333333'))] })
    expect(row).toMatchObject({
      ...{ ChargePeriodStart: '2023-11-15T11:00:00Z', ChargePeriodEnd: '2023-11-15T13:00:00Z' },
      ...{ ConsumedQuantity: '0.041666666666666667', ConsumedUnit: 'GB-Days', ListUnitPrice: '0.2' },
      ...{ ListCost: '0.008333333333', EffectiveCost: '0.004166666667', BillingAccountId: 'default' },
    })
  })

  it("is a vendor's credit where an imported line took something back", () => {
    const back = chargeOf('request', 1, '3', { per: 1, price: 'vendor-reported', amount: parsePicos('-3') })
    const [row] = rowsOf({ imported: [importedOf([back], 0)] })
    expect(row).toMatchObject({
      ...{ ChargeCategory: 'Credit', ChargeFrequency: 'One-Time', BilledCost: '-3.0', EffectiveCost: '-3.0' },
      ...{ PricingQuantity: null, ConsumedQuantity: null, SkuPriceId: null, BillingAccountId: 'org-main' },
      ...{ ChargePeriodStart: '2023-11-15T00:00:00Z', ChargePeriodEnd: '2023-11-16T00:00:00Z' },
    })
  })

  it('has the unit price that a stated amount comes to', () => {
    const stated = (quantity: number, dollars: string) =>
      chargeOf('input_text_tokens', quantity, dollars, { per: quantity, price: 'vendor-reported' })
    const [row, ...others] = rowsOf({
      imported: [importedOf([stated(1_000_000, '2'), stated(3_000_000, '5')])],
    })
    expect([row?.['ListUnitPrice'], row?.['ListCost'], row?.['x_CallCount'], others]).toEqual([
      '1.75',
      '7.0',
      '3',
      [],
    ])
  })

  it('has tags, and is told apart by them, only where they are asked for', () => {
    const calls = [callOf([input]), callOf([input], { tags: { feature: 'low' } })]
    expect(rowsOf({ calls }).map((row) => row['Tags'])).toEqual([null])
    expect(rowsOf({ calls }, { tags: ['feature', 'team', 'cost'] }).map((row) => row['Tags'])).toEqual([
      '{"feature":"low","team":"search"}',
      '{"feature":"top","team":"search"}',
    ])
  })
})
