import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { createAdmission } from './admit.ts'
import { askFor } from './limits.fixture.ts'
import { limitsOfVendor } from './limits-of-vendor.ts'
import { findVendorLimits, openVendorLimits } from './vendor-limits.ts'

const file = new URL('../../prices/limits/openai.json', import.meta.url)
const vendor = openVendorLimits([JSON.parse(readFileSync(file, 'utf8'))])
const at = Date.parse('2023-11-10T12:00:00Z')

const rowOf = (model: string) => {
  const row = findVendorLimits(vendor, { provider: 'openai', model, tier: '1', at })
  if (row === null) throw new Error('no such row')
  return row
}

it('20 requests a minute and 100 a day of a vendor are two buckets in which calls wait', () => {
  const limits = limitsOfVendor(rowOf('gpt-4-vision-preview'), {
    upstream: 'openai',
    tuned: vendor.tuned,
    tier: '1',
  })
  expect(limits.map(({ name, cap, action }) => [name, cap, action])).toEqual([
    ['openai requests per minute of gpt-4-vision-preview (tier 1)', 20n, 'wait'],
    ['openai requests per day of gpt-4-vision-preview (tier 1)', 100n, 'wait'],
    ['openai tokens per minute of gpt-4-vision-preview (tier 1)', 20_000n, 'wait'],
  ])
  const admission = createAdmission(limits, [])
  const ask = () => admission.admit(askFor(100, at, { model: 'gpt-4-vision-preview' }))
  for (let call = 1; call <= 20; call += 1) expect(ask().admitted).toBe(true)
  expect(ask()).toMatchObject({ admitted: false, action: 'wait', fitsAt: at + 3_000 })
})

it('a tuned model draws on the limit of its base', () => {
  const row = rowOf('gpt-3.5-turbo-0613')
  const admission = createAdmission(limitsOfVendor(row, { upstream: 'openai', tuned: vendor.tuned }), [])
  const model = `ft:${row.model}:acme::abc`
  const decision = admission.admit(askFor(100, at, { model }))
  expect(decision.admitted && decision.holds.length).toBeGreaterThan(0)
})
