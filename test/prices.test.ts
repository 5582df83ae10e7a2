import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { pricesCsv } from '../scripts/export-prices-csv.ts'
import { priceSchemaText, writtenPriceSchema } from '../scripts/generate-price-schema.ts'
import { bundledPrices } from '../src/cli/bundled.ts'
import type { PriceFile } from '../src/pricing/price-book.ts'

const folder = fileURLToPath(new URL('../prices/', import.meta.url))
const names = readdirSync(folder).filter((name) => name.endsWith('.json') && name !== 'schema.json')

const files = await bundledPrices()

/** The shipped schema, compiled by a library that knows nothing of where it came from. */
const validate = new Ajv2020({
  allErrors: true,
  formats: { date: (text: string) => !Number.isNaN(Date.parse(text)) },
}).compile(JSON.parse(writtenPriceSchema()))

const problems = (file: unknown): unknown => (validate(file) ? [] : validate.errors)

describe('prices/schema.json', () => {
  it('is what the code holds price files to', () => {
    expect(writtenPriceSchema()).toBe(priceSchemaText())
  })

  it.each(names)('describes all of %s', (name) => {
    expect(problems(JSON.parse(readFileSync(folder + name, 'utf8')))).toEqual([])
  })

  it('describes an overlay, and a contract with its discounts', () => {
    const file = { schema: 'octroi-prices/1', provider: 'acme', prices: [] }
    const discount = { percent: '10', effectiveFrom: '2026-01-01', effectiveTo: null, source: 'contract 42' }
    expect(problems({ ...file, overlay: true })).toEqual([])
    expect(problems({ ...file, overlay: 'contract', discounts: [discount] })).toEqual([])
  })

  const [first] = files
  const [row] = first?.prices ?? []
  it.each<[string, object]>([
    ['a price that is a number', { unitPrice: 1 }],
    ['an exponent', { unitPrice: '1e-6' }],
    ['a negative price', { unitPrice: '-1' }],
    ['a price for nothing', { per: 0 }],
    ['no source', { source: '' }],
    ['a date that is none', { effectiveFrom: '15/11/2023' }],
    ['a confidence that is none', { confidence: 'certain' }],
    ['a field nobody knows', { unitprice: '1' }],
  ])('refuses a row with %s', (_, more) => {
    expect(problems({ ...first, prices: [{ ...row, ...more }] })).not.toEqual([])
  })
})

describe('the prices as CSV', () => {
  const text = pricesCsv(files)
  const [header = [], ...lines] = parseCsv(text)

  it('have every fact of every row: the rows can be made of them again', () => {
    const rows = lines.map((cells) =>
      Object.fromEntries(
        header.flatMap((name, index) => (cells[index] ? [[name, read(name, cells[index])]] : [])),
      ),
    )
    const written = files.flatMap(({ prices }) => prices)
    expect(rows).toHaveLength(written.length)
    rows.forEach(({ id, ...row }, index) => {
      expect(String(id)).toMatch(/^[0-9a-f]{16}$/)
      expect({ model: null, effectiveTo: null, ...row }).toEqual(written[index])
    })
  })

  it('keep to RFC 4180: lines end in CRLF and have as many cells as the first', () => {
    expect(text.endsWith('\r\n')).toBe(true)
    expect(new Set(lines.map(({ length }) => length))).toEqual(new Set([header.length]))
  })

  it('put quotes around what needs them', () => {
    const odd = { ...files[0], prices: [{ ...files[0]?.prices[0], source: 'He said "5,\r\nor so"' }] }
    expect(pricesCsv([odd as PriceFile])).toContain(',"He said ""5,\r\nor so""",')
  })

  it('have a column for every field, or say so', () => {
    const odd = { ...files[0], prices: [{ ...files[0]?.prices[0], colour: 'red' }] }
    expect(() => pricesCsv([odd as PriceFile])).toThrow('The field "colour" has no column')
  })
})

const json = ['aliases', 'attributes', 'per', 'agreesWith', 'conflictsWith', 'resolved']

function read(name: string, cell: string): unknown {
  return json.includes(name) ? JSON.parse(cell) : cell
}

/** Reads CSV as RFC 4180 has it. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = []
  let [row, cell, quoted]: [string[], string, boolean] = [[], '', false]
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at] ?? ''
    if (quoted) {
      if (letter !== '"') cell += letter
      else if (text[at + 1] === '"') {
        cell += letter
        at += 1
      } else quoted = false
    } else if (letter === '"') quoted = true
    else if (letter === ',') [row, cell] = [[...row, cell], '']
    else if (letter === '\r' && text[at + 1] === '\n') {
      rows.push([...row, cell])
      ;[row, cell, at] = [[], '', at + 1]
    } else cell += letter
  }
  return rows
}
