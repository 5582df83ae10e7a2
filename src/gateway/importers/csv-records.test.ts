import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createRecords } from './csv-records.ts'

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
