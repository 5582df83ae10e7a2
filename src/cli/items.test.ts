import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { readItems } from './items.ts'

const read = async (...chunks: (string | Uint8Array)[]) => {
  const { form, items } = await readItems(Readable.from(chunks))
  const values: unknown[] = []
  for await (const item of items) values.push('error' in item ? item.error.message : item.value)
  return { form, values }
}

describe('the input of a command', () => {
  it('is an object, an array or JSON Lines', async () => {
    expect(await read('{"a":1}\n')).toEqual({ form: 'object', values: [{ a: 1 }] })
    expect(await read('{\n  "a": 1\n}\n')).toEqual({ form: 'object', values: [{ a: 1 }] })
    expect(await read('[{"a":1},\n{"a":2}]')).toEqual({ form: 'array', values: [{ a: 1 }, { a: 2 }] })
    expect(await read('{"a":1}\n{"a":2}\n')).toEqual({ form: 'lines', values: [{ a: 1 }, { a: 2 }] })
  })

  it('may have blank lines and Windows line ends', async () => {
    expect(await read('\r\n{"a":1}\r\n\r\n{"a":2}')).toEqual({ form: 'lines', values: [{ a: 1 }, { a: 2 }] })
  })

  it('may come in any pieces, cut within a character', async () => {
    const bytes = new TextEncoder().encode('{"a":"é"}\n{"a":"€"}\n')
    const pieces = Array.from(bytes, (byte) => new Uint8Array([byte]))
    expect(await read(...pieces)).toEqual({ form: 'lines', values: [{ a: 'é' }, { a: '€' }] })
  })

  it('loses only the bad lines of JSON Lines', async () => {
    expect(await read('{"a":1}\n{"a" 2}\n{"a":3}\n{"a":')).toEqual({
      form: 'lines',
      values: [
        { a: 1 },
        'line 2, column 6: not JSON: : after the name was expected.',
        { a: 3 },
        'line 4, column 6: not JSON: a value was expected, but the text ends.',
      ],
    })
  })

  it('is JSON Lines even where the first line is bad', async () => {
    const { form, values } = await read('{"a":1\n{"a":2}\n')
    expect(form).toBe('lines')
    expect(values).toEqual(['line 1, column 7: not JSON: , or } was expected, but the text ends.', { a: 2 }])
  })

  it('that is one bad document is refused, at its line and column', async () => {
    await expect(read('\n[{"a": 1},\n {"a" 2}]')).rejects.toThrow('line 3, column 7')
    await expect(read('nothing of the kind')).rejects.toThrow('line 1, column 1')
  })

  it('that is empty is refused', async () => {
    await expect(read('')).rejects.toThrow('The input is empty')
    await expect(read('\n \n')).rejects.toThrow('The input is empty')
  })

  it('passes over a line that is too long, without keeping it', async () => {
    const piece = 'x'.repeat(1_048_576)
    const long = Array.from({ length: 20 }, () => piece)
    const { values } = await read('{"a":1}\n', ...long, '\n{"a":3}\n')
    expect(values).toEqual([{ a: 1 }, 'line 2 is longer than 16 MiB. Write one item a line.', { a: 3 }])
  })
})
