import { describe, expect, it } from 'vitest'
import { formatAmount, measures, mostOf, usedIn } from './measure.ts'

describe('a measure', () => {
  it('of tokens is the sum of the meters of its direction', () => {
    expect(measures.input_tokens.meters).toContain('cached_input_tokens')
    expect(measures.output_tokens.meters).toContain('output_reasoning_tokens')
    expect(measures.tokens.meters).toHaveLength(
      measures.input_tokens.meters.length + measures.output_tokens.meters.length,
    )
  })

  it('says how much a call used, all its parts together', () => {
    const half = { numerator: 1n, denominator: 3n }
    const used = usedIn([
      { input_text_tokens: 10, cached_input_tokens: 5, output_text_tokens: 3, audio_seconds: half },
      { output_reasoning_tokens: 7, image: 2 },
    ])
    expect(used).toEqual({
      requests: 1n,
      input_tokens: 15n,
      output_tokens: 10n,
      tokens: 25n,
      images: 2n,
      audio_seconds: 333_333_334n,
    })
  })

  it('says the most a call can use, by its bounds', () => {
    const bounds = [
      { meters: ['input_text_tokens', 'cached_input_tokens'], most: 12.5 },
      { meters: ['output_text_tokens'], most: 100 },
      { meters: ['audio_seconds'], most: 1.5 },
    ] as const
    expect(mostOf('requests', null)).toBe(1n)
    expect(mostOf('concurrent', null)).toBe(1n)
    expect(mostOf('input_tokens', bounds)).toBe(13n)
    expect(mostOf('tokens', bounds)).toBe(113n)
    expect(mostOf('audio_seconds', bounds)).toBe(2_000_000_000n)
    expect(mostOf('images', bounds)).toBe(0n)
  })

  it('is unknown where it has no bound, where nobody asked, or where it is billed by another meter only', () => {
    expect(mostOf('tokens', [{ meters: ['output_text_tokens'], most: null }])).toBeNull()
    expect(mostOf('tokens', null)).toBeNull()
    expect(mostOf('images', [{ meters: ['output_image_tokens'], most: 4_160 }])).toBeNull()
    expect(mostOf('audio_seconds', [{ meters: ['input_audio_tokens'], most: 10 }])).toBeNull()
  })

  it('is written in its own unit', () => {
    expect(formatAmount('cost', 1_500_000_000_000n)).toBe('1.5')
    expect(formatAmount('audio_seconds', 1_500_000_000n)).toBe('1.5')
    expect(formatAmount('tokens', 15n)).toBe('15')
  })
})
