import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bundledBook } from '../cli/bundled.ts'
import { formatPicos } from '../money/money.ts'
import { parseInstant } from '../time.ts'
import { type CacheRule, cacheRuleOf, splitPrompt } from './caching.ts'
import { plan } from './conversation.ts'
import { type PlanRequest, parsePlanRequest } from './plan-request.ts'
import { planTurns, totalInput } from './plan-turns.ts'

const book = await bundledBook()

type Vector = {
  readonly id: string
  readonly kind: string
  readonly inputs: Readonly<Record<string, number>>
  readonly expected: Readonly<Record<string, number>>
}
const { vectors }: { readonly vectors: readonly Vector[] } = JSON.parse(
  readFileSync(new URL('../../test/vectors/conversations.json', import.meta.url), 'utf8'),
)
const vector = (id: string): Vector => {
  const found = vectors.find((each) => each.id === id)
  if (found === undefined) throw new Error(`no vector ${id}`)
  return found
}

const rule = (fields: Partial<CacheRule>): CacheRule => ({
  ...{ rule: 'test', prefixMin: 1024, step: 1, write: null, marks: 'anywhere', lifetimeMinutes: null },
  ...fields,
})

/** The rule a vector states. */
const statedRule = ({ kind, inputs }: Vector): CacheRule => {
  const { min_prefix: prefixMin = 1024, increment: step = 128, breakpoint_interval: interval = 2048 } = inputs
  if (kind === 'caching_openai_implicit_pre_5_6') return rule({ prefixMin, step })
  if (kind === 'caching_openai_implicit_5_5') return rule({ prefixMin: interval, step: interval })
  return rule({ prefixMin, write: 'cache_write_tokens', marks: 'end' })
}

const request = (fields: object): PlanRequest =>
  parsePlanRequest({ model: 'm', user: 0, assistant: 0, turns: 1, ...fields }, 0)

const conversation = ({ inputs }: Vector): PlanRequest =>
  request({ system: inputs['S'], user: inputs['u'], assistant: inputs['a'], turns: inputs['n'] })

const splitOf = (asked: PlanRequest, by: CacheRule | null) => {
  const calls = planTurns(asked, by).flatMap((turn) => turn.calls)
  const sum = (name: 'read' | 'written' | 'fresh'): number =>
    calls.reduce((total, { cache }) => total + cache[name], 0)
  return { read: sum('read'), written: sum('written'), fresh: sum('fresh') }
}

describe('the acceptance figures of caching', () => {
  const cases = vectors.filter(({ kind }) => kind.startsWith('caching_'))

  it('are sixteen', () => {
    expect(cases).toHaveLength(16)
  })

  it.each(cases.map((each) => [each.id, each] as const))('%s', (_, each) => {
    const { inputs, expected } = each
    const { read, written, fresh } = splitOf(conversation(each), statedRule(each))
    const get = (...names: readonly string[]): number | undefined =>
      names.map((name) => expected[name]).find((value) => value !== undefined)
    expect(read).toBe(get('cached_tokens', 'cache_read_tokens', 'cache_read_input_tokens'))
    expect(written).toBe(get('cache_write_tokens', 'cache_creation_input_tokens') ?? 0)
    expect(fresh).toBe(get('uncached_tokens', 'input_tokens'))
    const [readAt = 0, writtenAt = 0] = [inputs['cached_rate'] ?? inputs['read'], inputs['write']]
    const units = fresh + read * readAt + written * writtenAt
    expect(units).toBeCloseTo(get('cost_in_full_price_token_units') ?? 0, 6)
    const saving = expected['saving_pct']
    if (saving !== undefined) {
      expect(100 * (1 - units / (expected['total_input_tokens'] ?? 0))).toBeCloseTo(saving, 6)
    }
  })

  it.each(['conv-032', 'conv-033', 'conv-034'])('%s: a prefix written once and read again', (id) => {
    const { inputs, expected } = vector(id)
    const reads = inputs['reads'] ?? 0
    const asked = request({ system: 10_000, turns: reads + 1 })
    const { read, written } = splitOf(asked, rule({ write: 'cache_write_tokens', marks: 'end' }))
    const units = (written * (inputs['write'] ?? 0) + read * (inputs['read'] ?? 0)) / 10_000
    expect(units).toBeCloseTo(expected['multiple_of_one_uncached_prefix'] ?? 0, 9)
    expect((totalInput(asked) ?? 0) / 10_000).toBe(expected['without_cache'])
  })

  it('conv-035: a cache with paid writes that never hits costs a quarter more', () => {
    const { inputs, expected } = vector('conv-035')
    const asked = request({ user: inputs['prompt_tokens'], turns: inputs['requests'], keepTurns: 0 })
    const by = rule({ write: 'cache_write_tokens', marks: 'end', lifetimeMinutes: 30 })
    const { read, written, fresh } = splitOf({ ...asked, minutesBetween: 31 }, by)
    expect([read, fresh]).toEqual([0, 0])
    expect(written * (inputs['write'] ?? 0)).toBe(expected['cost_in_full_price_token_units'])
    expect(100 * ((inputs['write'] ?? 0) - 1)).toBe(expected['penalty_pct'])
  })

  it('conv-036: what is read of a prefix, by the steps of each rule', () => {
    const { inputs, expected } = vector('conv-036') as unknown as {
      inputs: { prefix_tokens: readonly number[] }
      expected: Readonly<Record<string, readonly number[]>>
    }
    const readBy = (by: CacheRule): readonly number[] =>
      inputs.prefix_tokens.map(
        (shared) => splitPrompt(by, { input: shared + 10, shared, whole: true, tail: 0 }).read,
      )
    expect(readBy(rule({ step: 128 }))).toEqual(expected['pre_5_6_min1024'])
    expect(readBy(rule({ step: 128, prefixMin: 2048 }))).toEqual(expected['pre_5_6_min2048'])
    expect(readBy(rule({ marks: 'end' }))).toEqual(expected['gpt_5_6_exact'])
  })
})

describe('the rule of a model', () => {
  const ruleName = (provider: string, model: string, at: string, lifetime: '5m' | '1h' | null = null) =>
    cacheRuleOf({ provider, model, at: parseInstant(at), lifetime })

  it.each([
    ['openai', 'gpt-4o', '2025-01-01', 'openai-cache/128', 1024],
    ['openai', 'gpt-4o', '2026-10-01', 'openai-cache/128', 2048],
    ['openai', 'gpt-5.5', '2026-10-01', 'openai-cache/2048', 2048],
    ['openai', 'gpt-5.6-sol', '2026-10-01', 'openai-cache/paid-writes', 1024],
    ['openai', 'gpt-6.2-astra', '2026-11-20', 'openai-cache/paid-writes', 1024],
    ['google', 'gemini-2.5-pro', '2026-10-01', 'gemini-cache/implicit', 2048],
    ['google', 'gemini-3.5-flash', '2026-10-01', 'gemini-cache/implicit', 4096],
  ])('of %s %s on %s is %s, from %d tokens', (provider, model, at, name, prefixMin) => {
    expect(ruleName(provider, model, at)).toMatchObject({ rule: name, prefixMin })
  })

  it('is the lifetime asked for with Anthropic, and unknown where nothing is published', () => {
    expect(ruleName('anthropic', 'claude-opus-5-5', '2026-10-01')?.write).toBe('cache_write_5m_tokens')
    expect(ruleName('anthropic', 'claude-opus-5-5', '2026-10-01', '1h')?.write).toBe('cache_write_1h_tokens')
    expect(ruleName('google', 'gemini-2.0-flash', '2025-10-01')).toBeNull()
    expect(ruleName('mistral', 'mistral-large', '2026-10-01')).toBeNull()
  })
})

describe('a cached plan', () => {
  const sol = { model: 'gpt-5.6-sol', at: '2026-10-15', system: 2000, user: 100, assistant: 300, turns: 10 }
  const costOf = (fields: object): string | null => {
    const { cost } = plan(request({ ...sol, ...fields }), book)
    return cost === null ? null : formatPicos(cost)
  }

  it('costs 0.10182 USD with GPT-5.6, and 0.216 without a cache', () => {
    // 5,700 written at 5, 33,300 read at 0.4 and 3,000 answered at 20 USD a million.
    expect([costOf({ cache: 'auto' }), costOf({})]).toEqual(['0.10182', '0.216'])
  })

  it('costs more when a cap moves the beginning of the prompt, so that nothing is found again', () => {
    // From turn 4 on 2,900 tokens are written and none read: 23,200 written, 4,600 read.
    expect(costOf({ cache: 'auto', keepTurns: 2 })).toBe('0.17784')
  })

  it('writes everything again when the cache expired between two turns', () => {
    // 39,000 written at 5 USD a million, and the answers.
    expect(costOf({ cache: 'auto', minutesBetween: 31 })).toBe('0.255')
    expect(costOf({ cache: 'auto', minutesBetween: 30 })).toBe('0.10182')
  })

  it('loses no token, whatever the rule and the caps', () => {
    const rules = fc.record({
      rule: fc.constant('any'),
      prefixMin: fc.integer({ min: 0, max: 3000 }),
      step: fc.integer({ min: 1, max: 2048 }),
      write: fc.constantFrom(null, 'cache_write_tokens' as const),
      marks: fc.constantFrom('anywhere' as const, 'end' as const, 'instructions' as const),
      lifetimeMinutes: fc.constantFrom(null, 5),
    })
    const plans = fc.record({
      system: fc.integer({ min: 0, max: 3000 }),
      user: fc.integer({ min: 0, max: 500 }),
      assistant: fc.integer({ min: 0, max: 500 }),
      turns: fc.integer({ min: 1, max: 30 }),
      priming: fc.integer({ min: 0, max: 5 }),
      keepTurns: fc.option(fc.integer({ min: 0, max: 30 })),
      minutesBetween: fc.constantFrom(0, 6),
      toolRounds: fc.array(fc.record({ call: fc.nat(50), result: fc.nat(50) }), { maxLength: 2 }),
    })
    fc.assert(
      fc.property(rules, plans, (by, fields) => {
        for (const { calls } of planTurns(request(fields), by)) {
          for (const { input, cache } of calls) {
            expect(Math.min(cache.read, cache.written, cache.fresh)).toBeGreaterThanOrEqual(0)
            expect(cache.read + cache.written + cache.fresh).toBe(input)
          }
        }
      }),
    )
  })

  it('agrees with the closed forms where every turn hits', () => {
    const plans = fc.record({
      system: fc.integer({ min: 2048, max: 5000 }),
      user: fc.nat(500),
      assistant: fc.nat(500),
      turns: fc.integer({ min: 1, max: 30 }),
    })
    fc.assert(
      fc.property(plans, (fields) => {
        const asked = request(fields)
        const inputs = planTurns(asked, null).map(({ input }) => input)
        const before = inputs.slice(0, -1)
        const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0)
        // Legacy: the sum of q(I) over all but the last turn. Moving mark: I_n written, the others read.
        expect(splitOf(asked, rule({ step: 128 })).read).toBe(
          sum(before.map((input) => input - (input % 128))),
        )
        expect(splitOf(asked, rule({ write: 'cache_write_tokens', marks: 'end' }))).toEqual({
          read: sum(before),
          written: inputs.at(-1),
          fresh: 0,
        })
      }),
    )
  })
})
