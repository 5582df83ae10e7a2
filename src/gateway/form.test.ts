import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { silentWav } from '../../test/support/sounds.ts'
import type { Route } from '../endpoints/endpoint.ts'
import { files } from '../endpoints/files.ts'
import { parseRequest } from './form.ts'
import { readParts } from './multipart.ts'

const route: Route = { method: 'POST', path: '/x', billing: 'free', form: { sounds: ['file'] } }
const type = 'multipart/form-data; boundary=b'

const part = (name: string, text: string, more = ''): string =>
  `--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${text}\r\n`

const parse = (text: string, contentType = type) => parseRequest(Buffer.from(text), contentType, route)

describe('a form', () => {
  it('that the platform writes is read as fields, and files as what is known of them', async () => {
    const form = new FormData()
    form.append('model', 'whisper-1')
    form.append('file', new Blob([silentWav(1.5)], { type: 'audio/wav' }), 'é "x".wav')
    form.append('image[]', new Blob(['abc']), 'a.png')
    form.append('image[]', new Blob([]), 'b.png')
    const sent = new Response(form)
    const contentType = sent.headers.get('content-type') ?? ''
    const request = await parseRequest(Buffer.from(await sent.arrayBuffer()), contentType, route)
    const unknown = { seconds: null, secondsAtMost: null }
    expect(request).toEqual({
      model: 'whisper-1',
      file: {
        filename: 'é %22x%22.wav',
        type: 'audio/wav',
        bytes: 12_044,
        seconds: 1.5,
        secondsAtMost: 1.5055,
      },
      image: [
        { filename: 'a.png', type: 'application/octet-stream', bytes: 3, ...unknown },
        { filename: 'b.png', type: 'application/octet-stream', bytes: 0, ...unknown },
      ],
    })
  })

  it('has the fields that were put in, whatever is in them', async () => {
    const text = fc.string({ unit: 'binary' }).map((each) => each.replace(/\r\n--/g, ''))
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 5 }), async (texts) => {
        const form = new FormData()
        for (const [index, each] of texts.entries()) {
          form.append(`f${index}`, new Blob([each]), 'x')
        }
        form.append('last', '1')
        const sent = new Response(form)
        const contentType = sent.headers.get('content-type') ?? ''
        const parts = await readParts(Buffer.from(await sent.arrayBuffer()), contentType)
        expect(parts.slice(0, -1).map(({ bytes }) => bytes)).toEqual(texts.map((each) => Buffer.from(each)))
      }),
      { numRuns: 50 },
    )
  })

  it('may have a file of many megabytes that almost ends everywhere', async () => {
    const file = Buffer.from('\r\n--a'.repeat(2_000_000))
    const head = Buffer.from(part('a', '|', '; filename=x').split('|')[0] ?? '')
    const parts = await readParts(Buffer.concat([head, file, Buffer.from('\r\n--b--')]), type)
    expect(parts.map(({ bytes }) => bytes.equals(file))).toEqual([true])
  })

  it('may quote its boundary, name files without quotes, and have empty fields', async () => {
    const text = `${part('a', '')}${part('b', 'c', '; filename=x.txt')}--b--\r\n`
    expect(await parse(text, 'Multipart/Form-Data; charset=utf-8; boundary="b"')).toMatchObject({
      a: '',
      b: { filename: 'x.txt', bytes: 1 },
    })
  })

  it('cannot reach the prototype of anything', async () => {
    const request = await parse(`${part('__proto__', 'x')}--b--`)
    expect(Object.keys(request as object)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(request)).toBe(Object.prototype)
  })

  it.each([
    ['no boundary', 'multipart/form-data', `${part('a', 'x')}--b--`],
    ['two boundaries', 'multipart/form-data; boundary=b; boundary=c', `${part('a', 'x')}--b--`],
    ['an empty body', type, ''],
    ['text before its parts', type, `hello\r\n${part('a', 'x')}--b--`],
    ['text after its end', type, `${part('a', 'x')}--b--\r\n${part('a', 'y')}`],
    ['no end', type, part('a', 'x')],
    ['a part without a name', type, '--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--'],
    ['a part with two names', type, `${part('a', 'x', '; name="c"')}--b--`],
    [
      'a header twice',
      type,
      `--b\r\nContent-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="c"\r\n\r\nx\r\n--b--`,
    ],
    [
      'an encoded part',
      type,
      `--b\r\nContent-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n--b--`,
    ],
    ['a field twice', type, `${part('a', 'x')}${part('a', 'y')}--b--`],
    ['a field that is also a list', type, `${part('a', 'x')}${part('a[]', 'y')}--b--`],
    ['another kind', 'multipart/mixed; boundary=b', `${part('a', 'x')}--b--`],
    ['100 parts', type, `${Array.from({ length: 100 }, (_, at) => part(`f${at}`, 'x')).join('')}--b--`],
    ['a head without end', type, `--b\r\n${'a'.repeat(10_000)}`],
    ['a field of more than a megabyte', type, `${part('a', 'x'.repeat(1_000_001))}--b--`],
  ])('with %s is refused', async (_what, contentType, text) => {
    await expect(parse(text, contentType)).rejects.toMatchObject({ code: 'bad_input' })
  })

  it('is refused where a route takes JSON', async () => {
    const plain: Route = { method: 'POST', path: '/chat/completions', billing: 'free' }
    await expect(parseRequest(Buffer.from(`${part('a', 'x')}--b--`), type, plain)).rejects.toThrow(
      'POST /chat/completions takes JSON, not multipart/form-data; boundary=b.',
    )
  })
})

describe('a sound in a form', () => {
  const sent = async (bytes: Uint8Array<ArrayBuffer>): Promise<unknown> => {
    const form = new FormData()
    form.append('file', new Blob([bytes]), 'a.wav')
    const body = new Response(form)
    const contentType = body.headers.get('content-type') ?? ''
    const request = await parseRequest(Buffer.from(await body.arrayBuffer()), contentType, route)
    return (request as { file: unknown }).file
  }

  it('whose header says less than its bytes hold can be as long as these', async () => {
    const lying = silentWav(60)
    new DataView(lying.buffer).setUint32(40, 8000, true)
    expect(await sent(lying)).toMatchObject({ seconds: 1, secondsAtMost: 60.0055 })
  })

  it('that is none, or broken, has no length', async () => {
    const unknown = { seconds: null, secondsAtMost: null }
    expect(await sent(new TextEncoder().encode('no sound at all'))).toMatchObject(unknown)
    expect(await sent(new Uint8Array(0))).toMatchObject(unknown)
  })

  it('is not measured where nothing is billed by its length', async () => {
    const upload = files.routes.find(({ method }) => method === 'POST')
    expect(upload?.form).toEqual({ sounds: [] })
  })
})
