import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sizeOfImage } from './image-size.ts'

const ascii = (text: string) => Buffer.from(text, 'latin1')
const big = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
const png = (width: number, height: number) =>
  Buffer.concat([
    ...[Buffer.from([0x89]), ascii('PNG\r\n\x1a\n'), big(13), ascii('IHDR'), big(width), big(height)],
    Buffer.alloc(20),
  ])
const segment = (marker: number, content: Buffer) =>
  Buffer.concat([Buffer.from([0xff, marker, (content.length + 2) >> 8, (content.length + 2) & 255]), content])
const start = Buffer.from([0xff, 0xd8])
const frame = (width: number, height: number, marker = 0xc0) =>
  segment(
    marker,
    Buffer.from([8, height >> 8, height & 255, width >> 8, width & 255, 3, 1, 34, 0, 2, 17, 1, 3, 17, 1]),
  )
const jpeg = (...segments: readonly Buffer[]) => Buffer.concat([start, ...segments])
const gif = (width: number, height: number) =>
  Buffer.concat([ascii('GIF89a'), Buffer.from([width & 255, width >> 8, height & 255, height >> 8, 0, 0, 0])])
const webp = (width: number, height: number) => {
  const bytes = Buffer.alloc(30)
  bytes.write('RIFF', 0, 'latin1')
  bytes.write('WEBPVP8X', 8, 'latin1')
  bytes.writeUIntLE(width - 1, 24, 3)
  bytes.writeUIntLE(height - 1, 27, 3)
  return bytes
}
const box = (name: string, ...content: readonly Buffer[]) => {
  const held = Buffer.concat(content)
  return Buffer.concat([big(held.length + 8), ascii(name), held])
}
const heif = (...properties: readonly Buffer[]) =>
  Buffer.concat([
    box('ftyp', ascii('heic'), big(0)),
    box('meta', big(0), box('iprp', box('ipco', ...properties))),
  ])
const extent = (width: number, height: number) => box('ispe', big(0), big(width), big(height))

const dataUrl = (bytes: Buffer, type = 'image/png') => `data:${type};base64,${bytes.toString('base64')}`

describe('the size of an image', () => {
  it.each([
    ['PNG', png(800, 600)],
    ['JPEG', jpeg(frame(800, 600))],
    ['progressive JPEG', jpeg(segment(0xe0, ascii('JFIF')), frame(800, 600, 0xc2))],
    ['GIF', gif(800, 600)],
    ['WebP', webp(800, 600)],
    ['HEIF', heif(extent(800, 600))],
  ])('is read from %s, from bytes and from a data URL', (_, bytes) => {
    expect(sizeOfImage(bytes)).toEqual({ width: 800, height: 600 })
    expect(sizeOfImage(dataUrl(bytes))).toEqual({ width: 800, height: 600 })
  })

  it('is not that of the small picture within the metadata', () => {
    const thumbnail = jpeg(frame(160, 120))
    expect(sizeOfImage(jpeg(segment(0xe1, thumbnail), frame(4000, 3000)))).toEqual({
      width: 4000,
      height: 3000,
    })
  })

  it('is found behind half a megabyte of metadata, and not behind a whole one', () => {
    const metadata = (count: number) =>
      Array.from({ length: count }, () => segment(0xe1, Buffer.alloc(65_533)))
    const photograph = jpeg(...metadata(8), frame(800, 600))
    expect(sizeOfImage(dataUrl(photograph))).toEqual({ width: 800, height: 600 })
    expect(sizeOfImage(photograph)).toEqual({ width: 800, height: 600 })
    const heavy = jpeg(...metadata(17), frame(800, 600))
    expect(sizeOfImage(dataUrl(heavy))).toMatchObject({ code: 'too_much_metadata' })
    expect(sizeOfImage(heavy)).toMatchObject({ code: 'too_much_metadata' })
  })

  it('may stand in base64 with line breaks', () => {
    const lines = png(800, 600).toString('base64').replace(/.{20}/g, '$&\r\n')
    expect(sizeOfImage(`data:image/png;name=a;base64,${lines}`)).toEqual({ width: 800, height: 600 })
  })

  it.each([
    ['0 x 0', png(0, 0)],
    ['0 x 10', gif(0, 10)],
    ['4 billion pixels a side', png(0xffff_ffff, 0xffff_ffff)],
    ['65,535 x 65,535', jpeg(frame(65_535, 65_535))],
  ])('is impossible at %s', (_, bytes) => {
    expect(sizeOfImage(bytes)).toMatchObject({ code: 'impossible_size' })
  })

  it.each([
    ['PNG', png(800, 600).subarray(0, 20)],
    ['JPEG', jpeg(segment(0xe0, ascii('JFIF')), frame(800, 600)).subarray(0, 14)],
    ['GIF', gif(800, 600).subarray(0, 8)],
    ['WebP', webp(800, 600).subarray(0, 25)],
    ['nothing', Buffer.alloc(0)],
  ])('is not known of a truncated %s', (_, bytes) => {
    expect(sizeOfImage(bytes)).toMatchObject({ code: 'truncated' })
    expect(sizeOfImage(dataUrl(bytes))).toMatchObject({ code: 'truncated' })
  })

  it.each([
    ['a JPEG whose image comes before its size', jpeg(segment(0xda, ascii('x')), frame(1, 1))],
    ['a JPEG whose segments are no segments', jpeg(ascii('Exif'.repeat(1000)))],
    ['boxes of no length', heif(Buffer.alloc(15_000))],
    ['a box of no length', Buffer.concat([big(0), ascii('ftypheic'), Buffer.alloc(100)])],
    ['a PNG without its header', Buffer.concat([png(1, 1).subarray(0, 8), Buffer.alloc(40)])],
  ])('is malformed in %s', (_, bytes) => {
    expect(sizeOfImage(bytes)).toMatchObject({ code: 'malformed' })
  })

  it.each([
    ['not_a_data_url', 'https://example.test/a.png'],
    ['not_a_data_url', 'file-abc123'],
    ['not_a_data_url', 'data:image/png'],
    ['not_base64', 'data:image/png,%89PNG'],
    ['not_base64', 'data:image/png;base64,*no*'],
    ['unknown_format', dataUrl(ascii('<svg width="10" height="10"></svg>'), 'image/svg+xml')],
    ['unknown_format', dataUrl(ascii('II*\0'), 'image/tiff')],
  ])('is a problem, %s, of %s', (code, text) => {
    expect(sizeOfImage(text)).toMatchObject({ code, message: expect.stringMatching(/\.$/) })
  })

  it('of anything is a size or a problem, and never throws', () => {
    const starts = [png(3, 4), jpeg(frame(3, 4)), gif(3, 4), webp(3, 4), heif(extent(3, 4)), Buffer.alloc(0)]
    const bytes = fc
      .tuple(fc.constantFrom(...starts), fc.nat(80), fc.uint8Array({ maxLength: 200 }))
      .map(([begin, kept, rest]) => Buffer.concat([begin.subarray(0, kept), rest]))
    fc.assert(
      fc.property(bytes, (any) => {
        const size = sizeOfImage(any)
        expect('code' in size || (size.width > 0 && size.height > 0)).toBe(true)
        expect(sizeOfImage(dataUrl(any))).toEqual(size)
      }),
      { numRuns: 1000 },
    )
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(sizeOfImage(`data:;base64,${text}`)).toBeDefined()
        expect(sizeOfImage(text)).toBeDefined()
      }),
    )
  })
})

describe('hostile images', () => {
  const mebibyte = 1024 * 1024
  const extents = Array.from({ length: 800 }, () => extent(100, 50))
  it.each([
    ['a start of a JPEG and nothing but 0xff', Buffer.concat([start, Buffer.alloc(4 * mebibyte, 0xff)])],
    [
      'a JPEG of empty comments',
      Buffer.concat([start, Buffer.alloc(4 * mebibyte, Buffer.from([255, 254, 0, 2]))]),
    ],
    ['a HEIF file of eight hundred sizes', heif(...extents)],
    ['base64 full of line breaks', `data:image/jpeg;base64,/9j/${'\n//4AAg'.repeat(1_000_000)}`],
    ['20 MB of junk', `data:image/png;base64,${'A'.repeat(27_000_000)}`],
  ])('hold nobody up: %s', (_, image) => {
    // The best of three: what else the machine does is not the image's fault.
    const times = [1, 2, 3].map(() => {
      const before = performance.now()
      sizeOfImage(image)
      return performance.now() - before
    })
    expect(Math.min(...times)).toBeLessThan(50)
  })
})
