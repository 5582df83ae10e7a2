import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { add, type Rational, rational, zero } from '../money/rational.ts'
import { type Meter, meterFacts } from './meter.ts'
import { readUsage, type UsageShape } from './read.ts'
import { quantities, type Usage } from './usage.ts'

const openaiChat: UsageShape = {
  at: {
    input_text_tokens: 'prompt_tokens',
    cached_input_tokens: 'prompt_tokens_details.cached_tokens',
    cache_write_tokens: 'prompt_tokens_details.cache_write_tokens',
    input_audio_tokens: 'prompt_tokens_details.audio_tokens',
    output_text_tokens: 'completion_tokens',
    output_reasoning_tokens: 'completion_tokens_details.reasoning_tokens',
    output_audio_tokens: 'completion_tokens_details.audio_tokens',
  },
  inside: [
    'cached_input_tokens',
    'cache_write_tokens',
    'input_audio_tokens',
    'output_reasoning_tokens',
    'output_audio_tokens',
  ],
  known: ['total_tokens', 'completion_tokens_details.accepted_prediction_tokens'],
}

/** Hits and misses apart, as DeepSeek reports them: nothing is inside anything but reasoning. */
const apart: UsageShape = {
  at: {
    input_text_tokens: 'prompt_cache_miss_tokens',
    cached_input_tokens: 'prompt_cache_hit_tokens',
    output_text_tokens: 'completion_tokens',
    output_reasoning_tokens: 'completion_tokens_details.reasoning_tokens',
  },
  inside: ['output_reasoning_tokens'],
  known: ['prompt_tokens'],
}

const read = (report: unknown) => readUsage(report, openaiChat)

describe('reading a report', () => {
  it('takes cached tokens out of the prompt that counts them too', () => {
    const report = {
      prompt_tokens: 10_000,
      completion_tokens: 500,
      total_tokens: 10_500,
      prompt_tokens_details: { cached_tokens: 8000 },
    }
    expect(read(report)).toEqual({
      usage: { input_text_tokens: 2000, cached_input_tokens: 8000, output_text_tokens: 500 },
      problems: [],
    })
  })

  it('takes cached, written and audio tokens out of one prompt, reasoning out of the completion', () => {
    const report = {
      prompt_tokens: 20_000,
      prompt_tokens_details: { cached_tokens: 12_000, cache_write_tokens: 5000, audio_tokens: 1000 },
      completion_tokens: 1000,
      completion_tokens_details: { reasoning_tokens: 768, audio_tokens: 32, accepted_prediction_tokens: 9 },
    }
    expect(read(report)?.usage).toEqual({
      input_text_tokens: 2000,
      cached_input_tokens: 12_000,
      cache_write_tokens: 5000,
      input_audio_tokens: 1000,
      output_text_tokens: 200,
      output_reasoning_tokens: 768,
      output_audio_tokens: 32,
    })
  })

  it('takes nothing out where the vendor counts hits and misses apart', () => {
    const report = { prompt_tokens: 1000, prompt_cache_hit_tokens: 900, prompt_cache_miss_tokens: 100 }
    expect(readUsage({ ...report, completion_tokens: 50 }, apart)).toEqual({
      usage: { input_text_tokens: 100, cached_input_tokens: 900, output_text_tokens: 50 },
      problems: [],
    })
  })

  it('leaves out what is zero: a report of zeros is an empty usage, not the lack of one', () => {
    expect(
      read({ prompt_tokens: 0, completion_tokens: 0, prompt_tokens_details: { cached_tokens: 0 } }),
    ).toEqual({
      usage: {},
      problems: [],
    })
  })

  it('leaves a meter out that is wholly its parts', () => {
    const report = {
      prompt_tokens: 5,
      completion_tokens: 768,
      completion_tokens_details: { reasoning_tokens: 768 },
    }
    expect(read(report)?.usage).toEqual({ input_text_tokens: 5, output_reasoning_tokens: 768 })
  })

  it('takes details that are null for details that are not there', () => {
    const report = { prompt_tokens: 3, completion_tokens: 4, prompt_tokens_details: null }
    expect(read(report)).toEqual({ usage: { input_text_tokens: 3, output_text_tokens: 4 }, problems: [] })
  })

  it.each([
    undefined,
    null,
    'a lot',
    7,
    [],
    {},
    { tokens: 7 },
    { prompt_tokens: '7' },
    { prompt_tokens: -7 },
  ])('finds no usage in %j', (report) => {
    expect(read(report)).toBeNull()
  })
})

describe('a report that cannot be true', () => {
  it('has more cached tokens than prompt: the prompt stands, at its full price', () => {
    const report = {
      prompt_tokens: 100,
      completion_tokens: 1,
      prompt_tokens_details: { cached_tokens: 150, audio_tokens: 10 },
    }
    expect(read(report)).toEqual({
      usage: { input_text_tokens: 100, output_text_tokens: 1 },
      problems: [
        'prompt_tokens is less than its parts prompt_tokens_details.cached_tokens, prompt_tokens_details.audio_tokens',
      ],
    })
  })

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '80', true, {}, [80]])(
    'has %j cached tokens: they are left in the prompt, and named',
    (cached) => {
      const report = {
        prompt_tokens: 100,
        completion_tokens: 1,
        prompt_tokens_details: { cached_tokens: cached },
      }
      expect(read(report)).toEqual({
        usage: { input_text_tokens: 100, output_text_tokens: 1 },
        problems: ['prompt_tokens_details.cached_tokens is not a count'],
      })
    },
  )

  it('lacks a whole: its parts are sure, and what is missing is named', () => {
    const report = { completion_tokens: 4, prompt_tokens_details: { cached_tokens: 80 } }
    expect(read(report)).toEqual({
      usage: { cached_input_tokens: 80, output_text_tokens: 4 },
      problems: ['prompt_tokens is missing'],
    })
  })

  it('cannot put counts in through the prototype of an object', () => {
    const report = Object.create({ prompt_tokens: 100, completion_tokens: 1 })
    expect(read(report)).toBeNull()
  })
})

describe('a number that is not known', () => {
  const report = { prompt_tokens: 10, completion_tokens: 5 }

  it('is named: it may be a new thing that is billed', () => {
    expect(read({ ...report, hologram_tokens: 7 })).toEqual({
      usage: { input_text_tokens: 10, output_text_tokens: 5 },
      problems: [],
      unknown: ['hologram_tokens is 7 and not known here: a new billable field?'],
    })
  })

  it('is named once, however often a list repeats it', () => {
    const list = [{ dreams: 1 }, { dreams: 2 }]
    expect(read({ ...report, list })?.unknown).toEqual([
      'list[].dreams is 1 and not known here: a new billable field?',
    ])
  })

  it('is not named when it is zero, or no number', () => {
    expect(
      read({ ...report, hologram_tokens: 0, service_tier: 'flex', more: { x: null } })?.unknown,
    ).toBeUndefined()
  })

  it('is looked for within bounds', () => {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`n${index}`, 1]))
    expect(read({ ...report, many })?.unknown).toHaveLength(5)
    let deep: object = { n: 1 }
    for (let level = 0; level < 10_000; level += 1) deep = { deep }
    expect(read({ ...report, deep })?.unknown).toBeUndefined()
  })
})

describe('where a vendor reports', () => {
  it('is the first of several places that is there', () => {
    const shape: UsageShape = {
      at: { input_text_tokens: 'prompt', cached_input_tokens: ['hits', 'details.hits'] },
      inside: ['cached_input_tokens'],
    }
    expect(readUsage({ prompt: 10, details: { hits: 4 } }, shape)?.usage).toEqual({
      input_text_tokens: 6,
      cached_input_tokens: 4,
    })
    expect(readUsage({ prompt: 10, hits: 3, details: { hits: 4 } }, shape)?.usage).toEqual({
      input_text_tokens: 7,
      cached_input_tokens: 3,
    })
  })

  const modal: UsageShape = {
    at: {
      input_text_tokens: 'prompt + tools',
      input_audio_tokens: 'details[modality=AUDIO].count',
      cached_input_tokens: ['cached[modality!=AUDIO].count', 'hits'],
    },
    inside: ['input_audio_tokens', 'cached_input_tokens'],
    sparse: true,
  }

  it('may be two places that add up, or elements of a list', () => {
    const details = [
      { modality: 'TEXT', count: 60 },
      { modality: 'AUDIO', count: 30 },
      { modality: 'AUDIO', count: 10 },
    ]
    expect(readUsage({ prompt: 100, tools: 20, details }, modal)).toEqual({
      usage: { input_text_tokens: 80, input_audio_tokens: 40 },
      problems: [],
    })
  })

  it('is not an empty list', () => {
    expect(readUsage({ prompt: 100, cached: [], hits: 30 }, modal)?.usage).toEqual({
      input_text_tokens: 70,
      cached_input_tokens: 30,
    })
  })

  it('may leave out what is zero, without a problem', () => {
    const sparse: UsageShape = {
      at: { input_text_tokens: 'prompt', output_text_tokens: 'answer' },
      sparse: true,
    }
    expect(readUsage({ prompt: 5 }, sparse)).toEqual({ usage: { input_text_tokens: 5 }, problems: [] })
  })
})

describe('seconds', () => {
  const spoken: UsageShape = { at: { audio_seconds: 'seconds' } }

  it('are read as the vendor wrote them', () => {
    expect(readUsage({ seconds: 61.4 }, spoken)?.usage).toEqual({ audio_seconds: rational(307n, 5n) })
    expect(readUsage({ seconds: 61 }, spoken)?.usage).toEqual({ audio_seconds: 61 })
  })

  it('are not read where a float no longer says what was written', () => {
    expect(readUsage({ seconds: 1e-9 }, spoken)).toBeNull()
    expect(readUsage({ seconds: 2 ** 60 }, spoken)).toBeNull()
  })
})

describe('whatever is reported', () => {
  const sum = (usage: Usage, belongs: (meter: Meter) => boolean): Rational =>
    quantities(usage)
      .filter(([meter]) => belongs(meter))
      .reduce((total, [, quantity]) => add(total, quantity), zero)

  const count = fc.nat({ max: 1_000_000 })
  const maybe = fc.option(count, { nil: undefined })

  it('the disjoint meters add up to it', () => {
    const reports = fc.record({
      prompt_tokens: count,
      completion_tokens: count,
      prompt_tokens_details: fc.record({
        cached_tokens: maybe,
        cache_write_tokens: maybe,
        audio_tokens: maybe,
      }),
      completion_tokens_details: fc.record({ reasoning_tokens: maybe, audio_tokens: maybe }),
    })
    fc.assert(
      fc.property(reports, (report) => {
        const usage = read(report)?.usage ?? {}
        const inputs = sum(usage, (meter) => meterFacts(meter).direction === 'input')
        const outputs = sum(usage, (meter) => meterFacts(meter).direction === 'output')
        expect(inputs).toEqual(rational(BigInt(report.prompt_tokens)))
        expect(outputs).toEqual(rational(BigInt(report.completion_tokens)))
      }),
    )
  })

  it('reading neither throws nor gives a quantity that cannot be', () => {
    const odd = fc.oneof(count, fc.double(), fc.integer(), fc.string(), fc.constant(null), fc.object())
    const reports = fc.oneof(
      fc.anything(),
      fc.record({
        prompt_tokens: odd,
        completion_tokens: odd,
        prompt_tokens_details: fc.oneof(odd, fc.record({ cached_tokens: odd, audio_tokens: odd })),
        completion_tokens_details: fc.oneof(odd, fc.record({ reasoning_tokens: odd })),
      }),
    )
    fc.assert(
      fc.property(reports, (report) => {
        const usage = read(report)?.usage ?? {}
        for (const [, quantity] of quantities(usage)) expect(quantity.numerator > 0n).toBe(true)
      }),
    )
  })
})
