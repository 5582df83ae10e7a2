import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonLineCells } from './json-line.ts'
import { keyValueFault } from './key-values.ts'
import { exportedColumns, type FocusRow } from './layout.ts'
import { csvText, jsonLinesText } from './text.ts'

const columns = exportedColumns('1.4')
const rowWith = (cells: Readonly<Record<string, string>>): FocusRow =>
  columns.map((name) => cells[name] ?? null)

describe('an export as text', () => {
  it('has null as an empty field of CSV, and quotes only where RFC 4180 asks, at blanks, and around nothing', () => {
    const cells = {
      BilledCost: '0.5',
      BillingAccountId: 'a,b',
      BillingAccountName: '',
      BillingCurrency: 'say "x"',
    }
    expect(csvText('1.4').row(rowWith(cells))).toMatch(/^0\.5,"a,b","","say ""x""",,,.*,\r\n$/)
    expect(csvText('1.4').head).toMatch(/^BilledCost,BillingAccountId,.*,x_TokenDirection\r\n$/)
  })

  it('has decimals as texts in JSON Lines, null as null, and JSON as it is', () => {
    const line = jsonLinesText('1.4').row(
      rowWith({ BilledCost: '0.5', Tags: '{"team":"é\\n"}', x_Team: 'a"b\n' }),
    )
    expect(line.endsWith('}\n')).toBe(true)
    expect(JSON.parse(line)).toMatchObject({
      BilledCost: '0.5',
      ListCost: null,
      Tags: { team: 'é\n' },
      x_Team: 'a"b\n',
    })
  })

  it('reads from a line of JSON what was written to it', () => {
    const cell = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constant(null))
    fc.assert(
      fc.property(fc.array(cell, { minLength: columns.length, maxLength: columns.length }), (cells) => {
        const row = cells.map((each, index) =>
          columns[index] === 'Tags' || columns[index] === 'SkuPriceDetails' ? '{}' : each,
        )
        expect(jsonLineCells(jsonLinesText('1.4').row(row).trimEnd())).toEqual(
          columns.map((name, index) => [name, row[index]]),
        )
      }),
    )
  })
})

describe('a line of JSON', () => {
  it('keeps numbers and nested values as they are written', () => {
    expect(
      jsonLineCells('{ "a": 1e-7, "b": {"c": [1, "}"]}, "d": null, "e": true, "f": "x\\u0041" }'),
    ).toEqual([
      ['a', '1e-7'],
      ['b', '{"c": [1, "}"]}'],
      ['d', null],
      ['e', 'true'],
      ['f', 'xA'],
    ])
  })

  it.each(['', '[]', '{"a"}', '{"a":1', '{"a":1} x', '{"a":{"b"}}', '{"a":[1}', '{"a":"\\x"}'])(
    'is not %s',
    (line) => {
      expect(jsonLineCells(line)).toBeNull()
    },
  )
})

describe('key and value', () => {
  it('are one flat object', () => {
    expect(['{}', '{"a":"x","b":-1.5,"c":true,"d":null}', ' { "a" : "{" } '].map(keyValueFault)).toEqual([
      null,
      null,
      null,
    ])
  })

  it.each([
    ['[]', 'is no JSON object'],
    ['{"a":1,}', 'is no JSON object'],
    ['{"a":01}', 'is no JSON object'],
    ['{"a":[1]}', 'has something nested under "a"'],
    ['{"a":1,"\\u0061":2}', 'has the key "a" twice'],
    ['{"a":1}{', 'goes on after its object'],
  ])('are not %s', (text, fault) => {
    expect(keyValueFault(text)).toBe(fault)
  })
})
