import { readAllocationRules } from '../../src/reports/allocation-rules.ts'
import { readRateTable } from '../../src/reports/rate-table.ts'

/** Euros to dollars, another rate each week from August to October 2026. */
export const rates = readRateTable({
  ...{ schema: 'octroi-rates/1', id: 'tests', source: 'invented for this test', base: 'EUR' },
  rates: Array.from({ length: 13 }, (_, week) => ({
    date: new Date(Date.UTC(2026, 7, 1 + 7 * week)).toISOString().slice(0, 10),
    currency: 'USD',
    rate: `1.0${(week * 37) % 10}${week % 10}7`,
  })),
})

/** A centre for each team, and a pool of what has none. */
export const byTeam = readAllocationRules({
  schema: 'octroi-allocation/1',
  versions: [
    {
      ...{ version: 'teams', from: '2020-01-01' },
      centres: Array.from({ length: 50 }, (_, team) => ({
        name: `team_${team}`,
        match: { team: `team_${team}` },
      })),
      pools: [{ name: 'rest', match: { provider: '*' }, share: { rule: 'proportional', measure: 'cost' } }],
    },
  ],
})

/** Rules that changed half way, and ask for a tag. */
export const byTag = readAllocationRules({
  schema: 'octroi-allocation/1',
  versions: [
    {
      ...{ version: 'first', from: '2020-01-01' },
      centres: [{ name: 'one', match: { 'tag:feature': 'feature_1*' } }, { name: 'two' }],
      pools: [
        {
          ...{ name: 'all else', match: { provider: '*' } },
          share: { rule: 'fixed', percent: { one: '33.33', two: '12.5' } },
        },
      ],
    },
    {
      ...{ version: 'second', from: '2026-09-15' },
      centres: [{ name: 'one', match: { endUser: 'user_1*' } }, { name: 'three' }, { name: 'four' }],
      pools: [
        {
          ...{ name: 'all else', match: { model: '*' } },
          share: { rule: 'even', among: ['one', 'three', 'four'] },
        },
      ],
    },
  ],
})

/** A file of corrections that corrects nothing that was used. */
export const nobodysPrices = {
  schema: 'octroi-prices/1',
  provider: 'nobody',
  prices: [
    {
      ...{ provider: 'nobody', model: 'none', service: 'chat', meter: 'output_text_tokens', attributes: {} },
      ...{ unitPrice: '0.05', per: 1000, currency: 'USD', effectiveFrom: '2026-08-01' },
      ...{ fromPrecision: 'exact', effectiveTo: null, confidence: 'high', source: 'an invented correction' },
    },
  ],
}
