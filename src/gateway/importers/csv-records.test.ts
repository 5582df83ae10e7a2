import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type CsvRecord, createRecords } from './csv-records.ts'

const place = (line: number): string => `line ${line}`

/** The records of a text that comes in pieces of so many characters. */
const records = (text: string, piece = 5) => {
  const splitter = createRecords({ delimiter: ',', bytesMax: 1_000, place })
  const pieces = text.match(new RegExp(`[^]{1,${piece}}`, 'g')) ?? []
  return [...pieces.flatMap((each) => [...splitter.push(each)]), ...splitter.end()]
}

it('gives each record with the line on which it ends', () => {
  expect(records('a,b\r\n1,"two\nlines"\n\n"3 ""quoted""",4')).toEqual([
    { line: 1, fields: ['a', 'b'] },
    { line: 3, fields: ['1', 'two\nlines'] },
    { line: 5, fields: ['3 "quoted"', '4'] },
  ])
})

it.each([
  ['a\n1,"2\n3', 'line 2: it is no CSV: a quote is opened here'],
  ['a,b\n1,2"3"\n', 'line 2: it is no CSV: Invalid Opening Quote'],
  [`a\n"${'x'.repeat(2_000)}`, 'line 2: the record that begins here does not end'],
])('names the line of what is no CSV: %j', (text, said) => {
  expect(() => records(text, 100)).toThrow(said)
})

it('reads what was written, wherever it is cut', () => {
  const field = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', ' ', ';'), maxLength: 6 })
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`
  fc.assert(
    fc.property(
      fc.array(fc.tuple(field, field), { maxLength: 8 }),
      fc.integer({ min: 1, max: 9 }),
      (rows, piece) => {
        const text = rows.map((row) => `${row.map(quoted).join(',')}\n`).join('')
        expect(records(text, piece).map(({ fields }) => fields)).toEqual(rows)
      },
    ),
  )
})

it('reads or refuses each line as the parser does, however its quotes stand', () => {
  const some = fc.string({
    unit: fc.constantFrom('a', ',', '"', '""', '","', ' ', '\r'),
    minLength: 1,
    maxLength: 9,
  })
  fc.assert(
    fc.property(some, (line) => {
      const [mine, parsers] = [
        () => records(`${line}\n`, 100),
        () => parse(line.replace(/\r$/, ''), plain),
      ].map((read) => {
        try {
          return read()
        } catch {
          return 'refused'
        }
      })
      const fields = Array.isArray(mine) ? mine.map((record) => (record as CsvRecord).fields) : mine
      expect(fields).toEqual(parsers)
    }),
    { numRuns: 3_000 },
  )
})

const plain = { delimiter: ',', record_delimiter: '\n', relax_column_count: true }
