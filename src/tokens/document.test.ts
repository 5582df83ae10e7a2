import { setImmediate } from 'node:timers/promises'
import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countDocument } from './document.ts'
import { pagesOf } from './document-pages.ts'

const pace = () => setImmediate()
const plain = (...objects: readonly string[]) =>
  Buffer.from(
    ['%PDF-1.4', ...objects.map((each, at) => `${at + 1} 0 obj\n${each}\nendobj`), '%%EOF'].join('\n'),
  )
const compressed = (text: Buffer, before = '') =>
  Buffer.concat([
    Buffer.from(`%PDF-1.5\n${before}\n4 0 obj\n<</Type/ObjStm/Filter/FlateDecode>>\nstream\r\n`),
    deflateSync(text),
    Buffer.from('\nendstream\nendobj\n5 0 obj <</Type /XRef>> endobj\n%%EOF'),
  ])
const tree = '<</Type/Pages/Kids[2 0 R 3 0 R]/Count 2>>'
const page = '<</Type /Page /Parent 1 0 R>>'

describe('the pages of a PDF', () => {
  it('are those its tree states', async () => {
    expect(await pagesOf(plain(tree, page, page), pace)).toEqual({ pages: 2, pagesAtMost: 2 })
    expect(await pagesOf(plain('<< /Count 2 /Kids [] /Type /Pages >>'), pace)).toEqual({
      pages: 2,
      pagesAtMost: 2,
    })
  })

  it('are those within compressed streams', async () => {
    expect(await pagesOf(compressed(Buffer.from(`1 0 2 42 ${tree}${page}${page}`)), pace)).toEqual({
      pages: 2,
      pagesAtMost: 2,
    })
  })

  it('are counted where no tree is left, and at most all that were ever there', async () => {
    expect(await pagesOf(plain(page, page, page), pace)).toEqual({ pages: 3, pagesAtMost: 3 })
    expect(await pagesOf(plain(tree, page, page, page), pace)).toEqual({ pages: 2, pagesAtMost: 3 })
  })

  it('are not the entries of its outline', async () => {
    const outline = '<</Type/Outlines/Count 70>>'
    expect(await pagesOf(plain(outline, tree, outline, page, page), pace)).toEqual({
      pages: 2,
      pagesAtMost: 2,
    })
  })

  it('are found on both sides of a piece of 64 KiB', async () => {
    for (let filled = 65_480; filled < 65_560; filled += 7) {
      const pdf = Buffer.concat([Buffer.from('%PDF-1.4 '.padEnd(filled)), plain(tree, page, page)])
      expect(await pagesOf(pdf, pace)).toEqual({ pages: 2, pagesAtMost: 2 })
    }
  })

  it('are not known where they are hidden, cut off or not there', async () => {
    expect(await pagesOf(Buffer.from('<html>'), pace)).toMatchObject({ code: 'not_a_pdf' })
    expect(await pagesOf(plain('<</Type/Catalog>>'), pace)).toMatchObject({ code: 'no_pages' })
    const sealed = compressed(Buffer.from(tree), '9 0 obj <</Encrypt 8 0 R>> endobj')
    expect(await pagesOf(sealed, pace)).toMatchObject({ code: 'unreadable' })
    const broken = Buffer.from('%PDF-1.5\n<</Type/ObjStm>>\nstream\nnot compressed')
    expect(await pagesOf(broken, pace)).toMatchObject({ code: 'unreadable' })
  })

  it('are not looked for in a stream that would fill the memory', async () => {
    const bomb = compressed(Buffer.alloc(40 * 1024 * 1024, ' '))
    expect(bomb.length).toBeLessThan(100_000)
    expect(await pagesOf(bomb, pace)).toMatchObject({ code: 'unreadable' })
  })

  it('are given up where the caller has no more time', async () => {
    const hurry = () => Promise.reject(new Error('enough'))
    expect(await pagesOf(plain(tree), hurry)).toMatchObject({ code: 'gave_up' })
  })

  it('of anything are a number or a problem, and never throw', async () => {
    const words = fc.constantFrom(
      tree,
      page,
      '/Type/ObjStm',
      'stream\n',
      '/Encrypt',
      '<<',
      '>>',
      '/Count 9',
      '\0',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(words), async (parts) => {
        const found = await pagesOf(Buffer.from(`%PDF-${parts.join(' ')}`), pace)
        expect('code' in found || found.pages <= found.pagesAtMost).toBe(true)
      }),
    )
  })
})

describe('the tokens of a document', () => {
  it('are text and an image of each page for Claude, and have no bound', () => {
    expect(countDocument({ provider: 'anthropic', model: 'claude-opus-4-6', pages: 10 })).toMatchObject({
      tokens: 30_000,
      low: 15_000,
      usual: 45_680,
      high: null,
      class: 'calibrated',
    })
  })

  it('are 258 a page for Gemini 2, and 560 for Gemini 3', () => {
    expect(countDocument({ provider: 'google', model: 'gemini-2.5-pro', pages: 3 }).tokens).toBe(774)
    const document = { provider: 'google', model: 'gemini-3.5-flash', pages: 3 }
    expect(countDocument(document)).toMatchObject({ tokens: 1680, low: 1, usual: 1848 })
    expect(countDocument({ ...document, detail: 'MEDIA_RESOLUTION_LOW' }).tokens).toBe(840)
    expect(countDocument({ ...document, detail: 'huge' }).tokens).toBe(3360)
  })

  it('are not known for OpenAI, and say why', () => {
    expect(countDocument({ provider: 'openai', model: 'gpt-5.6-sol', pages: 1 })).toMatchObject({
      tokens: null,
      high: null,
      class: 'unknown',
      reason: expect.stringContaining('no figure for a page'),
    })
  })

  it('cannot be counted for half a page', () => {
    expect(() => countDocument({ provider: 'google', model: 'gemini-2.5-pro', pages: 0.5 })).toThrow(
      expect.objectContaining({ code: 'bad_number' }),
    )
  })
})
