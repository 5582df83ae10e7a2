import { describe, expect, it } from 'vitest'
import { openPriceBook } from '../pricing/price-book.ts'
import type { Item, Items } from './items.ts'
import { priceItems } from './price-items.ts'

const book = openPriceBook([
  {
    schema: 'octroi-prices/1',
    provider: 'acme',
    prices: [
      {
        provider: 'acme',
        model: 'm',
        service: 'chat',
        meter: 'input_text_tokens',
        attributes: {},
        unitPrice: '2',
        per: 1_000_000,
        currency: 'USD',
        effectiveFrom: '2026-01-01',
        fromPrecision: 'exact',
        effectiveTo: null,
        confidence: 'high',
        source: 'a test',
      },
    ],
  },
])

const item = (line: number): Item => ({
  place: `line ${line}`,
  value: { provider: 'acme', model: 'm', at: '2026-06-01', usage: { input_text_tokens: 500_000 } },
})

/** The outside, with a reader that takes an answer only when told to. */
const outside = () => {
  const out: string[] = []
  const err: string[] = []
  const waiting: (() => void)[] = []
  return {
    io: {
      out: (text: string) => {
        out.push(text)
      },
      err: (text: string) => {
        err.push(text)
      },
      drained: () => new Promise<void>((resolve) => waiting.push(resolve)),
      color: false,
      environment: {},
      signal: new AbortController().signal,
    },
    out,
    err,
    takeOne: async () => {
      waiting.shift()?.()
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

describe('pricing JSON Lines', () => {
  it('waits for a slow reader: it reads no further than the answers that are not taken', async () => {
    let asked = 0
    async function* many(): AsyncGenerator<Item> {
      while (asked < 1000) {
        asked += 1
        yield item(asked)
      }
    }
    const { io, out, takeOne } = outside()
    const items: Items = { form: 'lines', items: many() }
    const exit = priceItems(items, { book, json: true }, io)
    await takeOne()
    const answers = () => out.join('').split('\n').slice(0, -1)
    const first = asked
    expect(first).toBeLessThan(500)
    expect(answers()).toHaveLength(first)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(asked).toBe(first)
    await takeOne()
    expect(asked).toBeGreaterThan(first)
    while (asked < 1000) await takeOne()
    await takeOne()
    expect(await exit).toBe(0)
    expect(answers()).toHaveLength(1000)
    expect(JSON.parse(answers()[999] ?? '')).toMatchObject({ total: '1' })
  })

  it('goes on after a bad line, or ends there where that is asked for', async () => {
    const bad: Item = { place: 'line 2', value: { provider: 'acme' } }
    async function* three(): AsyncGenerator<Item> {
      yield item(1)
      yield bad
      yield item(3)
    }
    const run = (strict: boolean) => {
      const { io, out, err } = outside()
      const items: Items = { form: 'lines', items: three() }
      const taken = { ...io, drained: () => Promise.resolve() }
      return { exit: priceItems(items, { book, json: true, strict }, taken), out, err }
    }
    const patient = run(false)
    expect(await patient.exit).toBe(1)
    const answers = patient.out.join('').trimEnd().split('\n')
    expect(answers.map((line) => JSON.parse(line).total)).toEqual(['1', undefined, '1'])
    expect(patient.err.join('')).toContain('line 2: at must be a text and is missing')
    const strict = run(true)
    await expect(strict.exit).rejects.toThrow('line 2: at must be a text and is missing')
    expect(strict.out).toHaveLength(1)
  })
})
