import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { replaceMember, setMember } from './member-text.ts'

const replaced = async (text: string, value = '{"a":1}'): Promise<string> =>
  (await replaceMember(Buffer.from(text), { name: 'stream_options', value })).toString('utf8')

describe('a member that is replaced in the text of a request', () => {
  it('changes alone: numbers, spaces, escapes and the order of the others stay as they came', async () => {
    const before = '{ "seed" : 1.0e2,\n "user":"\\u00e9\\"}{", "stream_options" : '
    const after = ' , "messages":[{"content":"stream_options"}], "model":"gpt-4o" }\n'
    expect(await replaced(`${before}{"include_usage":false, "x":[1,{}]}${after}`)).toBe(
      `${before}{"a":1}${after}`,
    )
  })

  it('is replaced wherever the object has it, however its name is written, and nowhere deeper', async () => {
    expect(
      await replaced('{"stream_options":null,"b":{"stream_options":1},"stream\\u005foptions":"x, \\\\"}'),
    ).toBe('{"stream_options":{"a":1},"b":{"stream_options":1},"stream\\u005foptions":{"a":1}}')
    expect(await replaced('{"a":"stream_options"}')).toBe('{"a":"stream_options"}')
    expect(await replaced('{"a":["stream_options",{"stream_options":2}]}')).toBe(
      '{"a":["stream_options",{"stream_options":2}]}',
    )
  })

  it('gives what replacing it in the object gives, for any object', async () => {
    const name = fc.constantFrom('stream_options', 'a', 'stream', '"', '\\')
    const some = fc.dictionary(name, fc.jsonValue({ maxDepth: 3 }), { noNullPrototype: true })
    await fc.assert(
      fc.asyncProperty(some, fc.constantFrom(undefined, 1, '\t'), async (object, space) => {
        const expected = Object.hasOwn(object, 'stream_options') ? { ...object, stream_options: 7 } : object
        expect(JSON.parse(await replaced(JSON.stringify(object, null, space), '7'))).toEqual(
          JSON.parse(JSON.stringify(expected)),
        )
      }),
    )
  })

  it('lets others run while it reads 30 MB of white space', async () => {
    let [turns, running] = [0, true]
    const count = (): void => {
      turns += 1
      if (running) setImmediate(count)
    }
    setImmediate(count)
    const text = await replaced(`{${' '.repeat(30_000_000)}"stream_options":1}`)
    running = false
    expect(text.endsWith(' "stream_options":{"a":1}}')).toBe(true)
    expect(turns).toBeGreaterThan(50)
  })
})

const set = async (text: string, path: readonly [string, ...string[]], value = '7'): Promise<string> =>
  (await setMember(Buffer.from(text), { path, value })).toString('utf8')

describe('a member that is set in the text of a request', () => {
  it('stands in front where there is none, and in the place of what there is', async () => {
    expect(await set('{ "a" : 1 }', ['n'])).toBe('{"n":7, "a" : 1 }')
    expect(await set(' {\n}', ['n'])).toBe(' {"n":7\n}')
    expect(await set('{ "n" : 1.0e2 , "a":[1] }', ['n'])).toBe('{ "n" : 7 , "a":[1] }')
  })

  it('is set within the objects on the way to it, and they are made where they are missing', async () => {
    expect(await set('{"c": { "x":1 ,"n" : 9} }', ['c', 'n'])).toBe('{"c": { "x":1 ,"n" : 7} }')
    expect(await set('{"c": { "x":1} }', ['c', 'n'])).toBe('{"c": {"n":7, "x":1} }')
    expect(await set('{"c":null,"n":3}', ['c', 'n'])).toBe('{"c":{"n":7},"n":3}')
    expect(await set('{"n":3}', ['c', 'n'])).toBe('{"c":{"n":7},"n":3}')
  })

  it('gives what setting it in the object gives, for any object', async () => {
    const name = fc.constantFrom('c', 'n', 'c"', ' n')
    const some = fc.dictionary(
      name,
      fc.oneof(
        fc.dictionary(name, fc.jsonValue({ maxDepth: 2 }), { noNullPrototype: true }),
        fc.constant(null),
      ),
      { noNullPrototype: true },
    )
    await fc.assert(
      fc.asyncProperty(some, fc.constantFrom(undefined, 1, '\t'), async (object, space) => {
        const expected = { ...object, c: { ...Object(object['c'] ?? {}), n: 7 } }
        expect(JSON.parse(await set(JSON.stringify(object, null, space), ['c', 'n']))).toEqual(
          JSON.parse(JSON.stringify(expected)),
        )
      }),
    )
  })
})
