import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonLineCells } from './json-line.ts'
import { keyValueFault } from './key-values.ts'
import { changingColumns, exportedColumns, type FocusRow } from './layout.ts'
import { csvText, jsonLinesText } from './text.ts'

const columns = exportedColumns('1.4')
const rowWith = (cells: Readonly<Record<string, string>>): FocusRow =>
  columns.map((name) => cells[name] ?? null)

const isJson = (column: string | undefined): boolean => column === 'Tags' || column === 'SkuPriceDetails'

const cell = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constant(null),
  fc.constantFrom('0.5', '\ud800', '\u007f', '\u2028', '"', '\\', ''),
)

/** JSON columns hold JSON. */
const anyRow = fc
  .array(cell, { minLength: columns.length, maxLength: columns.length })
  .map((cells) => cells.map((each, index) => (isJson(columns[index]) && each !== null ? '{"a":1}' : each)))

const stringified = (cells: FocusRow): string => {
  const entries = columns.map((name, index) => {
    const each = cells[index] ?? null
    return [name, each !== null && isJson(name) ? JSON.parse(each) : each]
  })
  return `${JSON.stringify(Object.fromEntries(entries))}\n`
}

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

  it('is JSON Lines byte for byte as JSON.stringify writes the rows of a series, one after another', () => {
    const isFixed = columns.map((name) => !changingColumns.some((each) => each === name))
    fc.assert(
      fc.property(fc.array(fc.tuple(anyRow, anyRow), { minLength: 1, maxLength: 4 }), (drawn) => {
        const { row } = jsonLinesText('1.4')
        for (const [series, other] of drawn) {
          const another = other.map((each, index) => (isFixed[index] ? (series[index] ?? null) : each))
          for (const cells of [series, another]) {
            expect(row(cells, series)).toBe(stringified(cells))
            expect(row(cells)).toBe(stringified(cells))
          }
        }
      }),
      { numRuns: 200 },
    )
  })

  it('is CSV with a field for each cell, in rows of one series and of others', () => {
    const { row } = csvText('1.4')
    const [series, another] = [{}, {}]
    const between = ','.repeat(columns.indexOf('x_Team'))
    expect(row(rowWith({ BilledCost: '1.0', x_Team: 'a' }), series)).toBe(`1.0${between}a,,\r\n`)
    expect(row(rowWith({ BilledCost: 'x,"', x_Team: 'b' }), another)).toBe(`"x,"""${between}b,,\r\n`)
    expect(row(rowWith({ BilledCost: '2.0', x_Team: 'a' }), series)).toBe(`2.0${between}a,,\r\n`)
  })

  it('reads from a line of JSON what was written to it', () => {
    fc.assert(
      fc.property(anyRow, (row) => {
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
