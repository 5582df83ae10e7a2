import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseDecimal } from '../money/rational.ts'
import { parseInstant } from '../time.ts'
import { findVendorLimits, openVendorLimits, tierOf, vendorTiers } from './vendor-limits.ts'
import type { VendorTier } from './vendor-tier.ts'

const shipped = JSON.parse(
  readFileSync(new URL('../../prices/limits/openai.json', import.meta.url), 'utf8'),
) as {
  readonly sources: Readonly<Record<string, unknown>>
  readonly limits: readonly { readonly source: string; readonly model: string }[]
  readonly tiers: readonly { readonly source: string }[]
}
const limits = openVendorLimits([shipped])
const november = parseInstant('2023-11-15T12:00:00Z')

const find = (model: string, tier: VendorTier, at = november) =>
  findVendorLimits(limits, { provider: 'openai', model, tier, at })

describe('the limits of OpenAI in November 2023', () => {
  it.each(['free', '1', '2', '3', '4', '5'] as const)(
    'let an account of tier %s see 20 pictures a minute and 100 a day',
    (tier) => {
      expect(find('gpt-4-vision-preview', tier)).toMatchObject({
        requestsPerMinute: 20,
        requestsPerDay: 100,
      })
      expect(find('gpt-4-1106-preview', tier)).toMatchObject({ requestsPerMinute: 20, requestsPerDay: 100 })
    },
  )

  it('are six images of DALL-E 3 and fifty transcriptions a minute, as the article says', () => {
    expect(find('dall-e-3', '1')).toMatchObject({ imagesPerMinute: 6, requestsPerMinute: null })
    expect(find('whisper-1', '1')).toMatchObject({ requestsPerMinute: 50, requestsPerDay: null })
  })

  it('keep who says something else', () => {
    expect(find('dall-e-3', '1')?.note).toContain('5 in tier 1')
    expect(find('dall-e-3', '1')).toMatchObject({ confidence: 'low', asOf: '2023-11' })
  })

  it('have more tokens a minute in a higher tier', () => {
    const tokens = (['1', '2', '3', '4'] as const).map((tier) => find('gpt-4', tier)?.tokensPerMinute)
    expect(tokens).toEqual([20_000, 40_000, 80_000, 300_000])
  })

  it('changed for GPT-4 Turbo on 2023-11-17, and not for Vision', () => {
    const later = parseInstant('2023-11-17')
    expect(find('gpt-4-1106-preview', '2', later - 1)).toMatchObject({ requestsPerDay: 100 })
    expect(find('gpt-4-1106-preview', '2', later)).toMatchObject({
      requestsPerDay: null,
      tokensPerDay: 1_500_000,
    })
    expect(find('gpt-4-vision-preview', '2', later)).toMatchObject({ requestsPerDay: 100 })
  })

  it('are shared by a model, its snapshots and what is tuned of them', () => {
    for (const model of [
      'gpt-3.5-turbo-0613',
      'ft:gpt-3.5-turbo-0613:acme::7p4lURel',
      'ft:gpt-3.5-turbo:a::b',
    ]) {
      expect(find(model, '1')?.model).toBe('gpt-3.5-turbo')
    }
  })

  it.each(['gpt-4-32k', 'gpt-9', 'ft:gpt-9:acme::x', 'ft:', 'ft:gpt-3.5-turbo'])(
    'of "%s" are not known',
    (model) => {
      expect(find(model, '1')).toBeNull()
    },
  )

  it('are not known before they were, nor where nobody says that they still hold', () => {
    expect(find('whisper-1', '1', parseInstant('2023-11-06') - 1)).toBeNull()
    expect(find('whisper-1', '1', parseInstant('2024-07-18'))).toBeNull()
  })
})

describe('the tier of an account', () => {
  const rules = vendorTiers(limits, { provider: 'openai', at: november })
  const of = (paid: string, days: number | null) =>
    tierOf(rules, {
      paid: parseDecimal(paid),
      firstPaymentAt: days === null ? null : november - days * 86_400_000,
      at: november,
    })

  it('is one of six, lowest first', () => {
    expect(rules.map(({ tier }) => tier)).toEqual(['free', '1', '2', '3', '4', '5'])
  })

  it.each([
    ['0', null, 'free'],
    ['4.99', 0, 'free'],
    ['5', 0, '1'],
    ['50', 6, '1'],
    ['50', 7, '2'],
    ['99.99', 400, '2'],
    ['100', 7, '3'],
    ['249', 14, '3'],
    ['250', 14, '4'],
    ['1000', 29, '4'],
    ['1000', 30, '5'],
    ['1000000', 0, '1'],
  ] as const)('that paid %s USD and first paid %s days ago is %s', (paid, days, tier) => {
    expect(of(paid, days)).toBe(tier)
  })
})

describe('the shipped file', () => {
  it('has a source for every figure, and no source that nobody needs', () => {
    const used = new Set([...shipped.limits, ...shipped.tiers].map(({ source }) => source))
    const cited = Object.keys(shipped.sources).filter(
      (name) => used.has(name) || JSON.stringify([shipped.limits, shipped.tiers]).includes(name),
    )
    expect([...used].filter((name) => !Object.hasOwn(shipped.sources, name))).toEqual([])
    expect(cited).toEqual(Object.keys(shipped.sources))
  })

  it('says no figure of a time before its source, nor without a limit', () => {
    for (const row of limits.limits) {
      const { requestsPerMinute, requestsPerDay, tokensPerMinute, tokensPerDay, imagesPerMinute } = row
      const known = [requestsPerMinute, requestsPerDay, tokensPerMinute, tokensPerDay, imagesPerMinute]
      expect(
        known.some((limit) => limit !== null),
        row.model,
      ).toBe(true)
      expect(row.to, row.model).not.toBeNull()
      expect(Number(row.asOf.slice(0, 4)), row.model).toBeGreaterThanOrEqual(2023)
    }
  })
})

describe('a file that cannot be used', () => {
  const [row] = shipped.limits
  const [tier] = shipped.tiers
  it.each<[string, object, string]>([
    ['two rows at one time', { limits: [row, row] }, 'model gpt-4-vision-preview, tier free has two rows'],
    ['two rules of a tier at one time', { tiers: [tier, tier] }, 'tier free has two rows'],
    [
      'an alias that is another model',
      { limits: [row, { ...row, model: 'x', aliases: [row?.model] }] },
      'has two rows',
    ],
    ['a source that is not there', { limits: [{ ...row, source: 'hearsay' }] }, 'the source "hearsay"'],
    [
      'an end before its beginning',
      { limits: [{ ...row, effectiveTo: '2023-11-06' }] },
      'ends before it begins',
    ],
    [
      'a day that does not exist',
      { limits: [{ ...row, effectiveFrom: '2023-02-30' }] },
      '"2023-02-30", which is no day',
    ],
    ['a negative limit', { limits: [{ ...row, tokensPerMinute: -1 }] }, 'limits.0.tokensPerMinute'],
    ['a tier that is none', { limits: [{ ...row, tiers: ['6'] }] }, 'limits.0.tiers.0'],
    ['a field nobody knows', { limits: [{ ...row, rpm: 3 }] }, 'limits.0'],
    ['another schema', { schema: 'octroi-prices/1' }, 'schema'],
  ])('has %s, and is refused', (_, more, said) => {
    expect(() => openVendorLimits([{ ...shipped, limits: [row], tiers: [tier], ...more }])).toThrow(said)
  })

  it.each([null, 'limits', [], {}])('is %j, and is refused', (file) => {
    expect(() => openVendorLimits([file])).toThrow('The vendor limits cannot be used')
  })
})
