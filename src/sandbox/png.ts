import { promisify } from 'node:util'
import { crc32, deflate, inflate } from 'node:zlib'
import { randomFrom } from './random.ts'

/** What a PNG says of its pixels. `mode` in the words of the library the vendor used (Pillow): `RGBA`, `LA`,
 * `L`, `RGB`, `P`, and `I;16` or `1` for grey of 16 or 1 bit. */
export type PngHead = { readonly width: number; readonly height: number; readonly mode: string }

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** Draws an image: diagonal bands of 16 colours that belong to the seed. The same seed and size give the same
 * bytes; they are a few kilobytes at any size. */
export const drawPng = async (
  { width, height }: { readonly width: number; readonly height: number },
  ...seed: readonly string[]
): Promise<Buffer> => {
  const random = randomFrom('png', ...seed)
  const palette = Buffer.from(Array.from({ length: 48 }, () => random.whole({ least: 0, most: 255 })))
  const band = random.whole({ least: 8, most: 64 })
  const rowBytes = 1 + Math.ceil(width / 2)
  const rows = Buffer.alloc(height * rowBytes)
  for (let y = 0; y < height; y += band) {
    const start = y * rowBytes
    for (let x = 0; x < width; x += 2) {
      const colour = (at: number): number => (Math.floor(at / band) + Math.floor(y / band)) & 15
      rows[start + 1 + x / 2] = (colour(x) << 4) | colour(x + 1)
    }
    // The rows of one band are alike.
    for (let copy = 1; copy < Math.min(band, height - y); copy++) {
      rows.copy(rows, start + copy * rowBytes, start, start + rowBytes)
    }
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([4, 3, 0, 0, 0], 8)
  const data = await promisify(deflate)(rows)
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('PLTE', palette),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** One part of a PNG: length, name, data, and the check sum of name and data. */
const chunk = (name: string, data: Buffer): Buffer => {
  const named = Buffer.concat([Buffer.from(name, 'latin1'), data])
  const whole = Buffer.alloc(named.length + 8)
  whole.writeUInt32BE(data.length, 0)
  whole.set(named, 4)
  whole.writeUInt32BE(crc32(named), named.length + 4)
  return whole
}

/** More pixels than any image of the vendor, as bytes: a small file that unpacks to more is not read. */
const pixelBytesMax = 64 * 2 ** 20

/** Reads a whole PNG, and not only its head: the sums of its parts must hold, and its data must be as much as the
 * head says. Null when it is none, is broken, or its head lies. */
export const readPng = async (bytes: Uint8Array): Promise<PngHead | null> => {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const parts = file.subarray(0, 8).equals(signature) ? partsOf(file) : null
  const first = parts?.[0]
  if (!parts || first?.name !== 'IHDR' || parts.at(-1)?.name !== 'IEND') return null
  const head = headOf(first.data)
  if (head === null || head.pixelBytes > pixelBytesMax) return null
  const data = Buffer.concat(parts.filter(({ name }) => name === 'IDAT').map((part) => part.data))
  const pixels = await promisify(inflate)(data, { maxOutputLength: head.pixelBytes + 1 }).catch(() => null)
  if (pixels?.length !== head.pixelBytes) return null
  return { width: head.width, height: head.height, mode: head.mode }
}

type Part = { readonly name: string; readonly data: Buffer }

/** The parts of a file up to its end; null when one is broken. */
const partsOf = (file: Buffer): readonly Part[] | null => {
  const parts: Part[] = []
  let at = signature.length
  while (at < file.length) {
    if (file.length - at < 12) return null
    const length = file.readUInt32BE(at)
    if (length > file.length - at - 12) return null
    const named = file.subarray(at + 4, at + 8 + length)
    if (crc32(named) !== file.readUInt32BE(at + 8 + length)) return null
    parts.push({ name: named.toString('latin1', 0, 4), data: named.subarray(4) })
    at += length + 12
  }
  return parts
}

/** Colour types of the PNG specification: samples a pixel, depths that may be, and the mode. */
const colours: Readonly<
  Record<number, { readonly samples: number; readonly depths: readonly number[]; readonly mode: string }>
> = {
  0: { samples: 1, depths: [1, 2, 4, 8, 16], mode: 'L' },
  2: { samples: 3, depths: [8, 16], mode: 'RGB' },
  3: { samples: 1, depths: [1, 2, 4, 8], mode: 'P' },
  4: { samples: 2, depths: [8, 16], mode: 'LA' },
  6: { samples: 4, depths: [8, 16], mode: 'RGBA' },
}

const headOf = (data: Buffer): (PngHead & { readonly pixelBytes: number }) | null => {
  if (data.length !== 13) return null
  const [width, height] = [data.readUInt32BE(0), data.readUInt32BE(4)]
  const [depth = 0, type = 0, compression, filter, interlace = 0] = data.subarray(8)
  const colour = colours[type]
  if (colour === undefined || !colour.depths.includes(depth)) return null
  if (width === 0 || height === 0 || compression !== 0 || filter !== 0 || interlace > 1) return null
  const bits = colour.samples * depth
  const bytesOf = (columns: number, rows: number): number =>
    columns === 0 || rows === 0 ? 0 : rows * (1 + Math.ceil((columns * bits) / 8))
  const pixelBytes =
    interlace === 0
      ? bytesOf(width, height)
      : passes.reduce(
          (sum, { x, y, right, down }) =>
            sum +
            bytesOf(Math.ceil(Math.max(width - x, 0) / right), Math.ceil(Math.max(height - y, 0) / down)),
          0,
        )
  const grey = type === 0 && (depth === 16 ? 'I;16' : depth === 1 ? '1' : null)
  return { width, height, mode: grey || colour.mode, pixelBytes }
}

/** The seven passes of an interlaced image (PNG specification, 8.2): first column and row, steps. */
const passes = [
  { x: 0, y: 0, right: 8, down: 8 },
  { x: 4, y: 0, right: 8, down: 8 },
  { x: 0, y: 4, right: 4, down: 8 },
  { x: 2, y: 0, right: 4, down: 4 },
  { x: 0, y: 2, right: 2, down: 4 },
  { x: 1, y: 0, right: 2, down: 2 },
  { x: 0, y: 1, right: 1, down: 2 },
]
