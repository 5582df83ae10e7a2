import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { bundledBook, bundledModels, bundledPrices } from './bundled.ts'

describe('the bundled price book', () => {
  it('opens: every row is well formed and no two contradict each other', async () => {
    const book = await bundledBook()
    expect(book.prices.length).toBeGreaterThan(900)
    expect(new Set(book.prices.map(({ id }) => id)).size).toBe(book.prices.length)
  })

  it('gives every row a source', async () => {
    for (const { source } of (await bundledBook()).prices) expect(source.length).toBeGreaterThan(10)
  })

  it('has one row a line, so that a change of a price is a change of a line', async () => {
    for (const { provider, prices } of await bundledPrices()) {
      const text = readFileSync(new URL(`../../prices/${provider}.json`, import.meta.url), 'utf8')
      const lines = text.trimEnd().split('\n')
      expect(lines).toHaveLength(prices.length + 2)
      expect(lines.slice(1, -1).map((line) => JSON.parse(line.replace(/,$/, '')))).toEqual(prices)
    }
  })
})

describe('the bundled model facts', () => {
  it('are read, one value a file', async () => {
    for (const facts of await bundledModels()) expect(facts).toBeTypeOf('object')
  })
})
