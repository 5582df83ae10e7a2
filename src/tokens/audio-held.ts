import { longestFrames, mpegByteSecondsMax, mpegFrameSecondsMax } from './audio-frames.ts'
import { bytesOfBase64 } from './data-url.ts'

/** How long a sound can last, in seconds, by its bytes. */
export type HeldSeconds = { readonly least: number; readonly most: number }

/** Bounds the length of a sound in base64 by how many bytes it has: in WAV the header says how many make a second; in
 * MP3 the frames do, and past the bytes that are looked at these are as many as the lowest bit rate needs. Null for
 * every other coding, which may be silent for almost nothing. Never throws; looks at `bytesMax` bytes of MP3, and
 * at the first ones alone of others. */
export const secondsHeld = (
  base64: string,
  bytesMax: number = Number.POSITIVE_INFINITY,
): HeldSeconds | null => {
  // Whoever decodes may pass over what is no base64, so that only what is base64 throughout has no fewer bytes.
  const isPure = base64.length <= checkedCharacters && isBase64(base64)
  const bytesMost = Math.ceil((base64.length * 3) / 4)
  const head = bytesOfBase64(base64, { from: 0, bytesMax: headBytes })
  if (head === null) return null
  if (wordAt(head, 0) === 'RIFF' && wordAt(head, 8) === 'WAVE')
    return waveSeconds(head, { bytesMost, bytesLeast: isPure ? bytesMost - 3 : 0 })
  if (!startsMpeg(head, base64)) return null
  return {
    least: 0,
    most: framesHeld(base64, bytesMax) ?? bytesMost * mpegByteSecondsMax + mpegFrameSecondsMax,
  }
}

/** How long the frames last that begin among so many first bytes, and what is behind them at the lowest bit rate. Null
 * where decoders may read other bytes there. */
const framesHeld = (base64: string, bytesMax: number): number | null => {
  const characters = Math.min(base64.length, Math.ceil(Math.min(bytesMax, base64.length) / 3) * 4)
  const begun = base64.slice(0, characters)
  const bytes = isBase64(begun) ? bytesOfBase64(begun, { from: 0, bytesMax: characters }) : null
  if (bytes === null) return null
  const look = longestFrames(bytes)
  let seconds = look()
  while (seconds === null) seconds = look()
  const behind = Math.ceil(((base64.length - characters) * 3) / 4)
  return seconds + inexactSeconds + (behind === 0 ? 0 : behind * mpegByteSecondsMax + mpegFrameSecondsMax)
}

/** For whoever sums frames inexactly, or resamples to one sample more: a tenth of a second that has begun is billed. */
const inexactSeconds = 0.001

const isBase64 = (text: string): boolean => /^[A-Za-z\d+/]*={0,2}$/.test(text)

const headBytes = 4 * 1024

const checkedCharacters = 2 ** 20

/** Linear samples, floating point, A-law and mu-law (RFC 2361): a second has always as many bytes. */
const steadyFormats: ReadonlySet<number> = new Set([1, 3, 6, 7])

/** The format that names another one in its extension. */
const extensible = 0xfffe

/** What a header says of the bytes a second has, where its three ways to say it agree. A sound has no more than
 * its bytes, whatever its header states, and no less than what is both stated and there. */
const waveSeconds = (
  head: Uint8Array<ArrayBuffer>,
  { bytesMost, bytesLeast }: { readonly bytesMost: number; readonly bytesLeast: number },
): HeldSeconds | null => {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  let bytesPerSecond = 0
  for (let at = 12; at + 8 <= head.length; ) {
    const [word, size] = [wordAt(head, at), view.getUint32(at + 4, true)]
    const start = at + 8
    if (word === 'fmt ' && size >= 16 && start + size <= head.length) {
      const named = view.getUint16(start, true)
      const format = named === extensible && size >= 26 ? view.getUint16(start + 24, true) : named
      const rate = view.getUint32(start + 4, true)
      const frameBytes = (view.getUint16(start + 2, true) * view.getUint16(start + 14, true)) / 8
      const stated = [view.getUint32(start + 8, true), rate * view.getUint16(start + 12, true)]
      if (!steadyFormats.has(format) || stated.some((each) => each !== rate * frameBytes)) return null
      bytesPerSecond = rate * frameBytes
    }
    if (word === 'data') {
      if (bytesPerSecond === 0) return null
      const there = Math.max(0, bytesLeast - start)
      return { least: Math.min(size, there) / bytesPerSecond, most: bytesMost / bytesPerSecond }
    }
    at = start + size + (size % 2)
  }
  return bytesPerSecond === 0 ? null : { least: 0, most: bytesMost / bytesPerSecond }
}

/** Whether a sound begins with a frame of MPEG, be it behind a tag (id3.org, ID3v2.4: its size in four bytes of
 * seven bits). */
const startsMpeg = (head: Uint8Array, base64: string): boolean => {
  if (wordAt(head, 0).slice(0, 3) !== 'ID3') return isMpegFrame(head)
  const size = [6, 7, 8, 9].reduce((sum, at) => sum * 128 + ((head[at] ?? 0) & 0x7f), 0)
  const behind = bytesOfBase64(base64, { from: size + 10, bytesMax: 4 })
  return behind !== null && isMpegFrame(behind)
}

/** Eleven bits of one, then a known version, a layer, and a bit rate out of the table: a free one is not. */
const isMpegFrame = ([first = 0, second = 0, third = 0]: Uint8Array): boolean =>
  first === 0xff &&
  (second & 0xe0) === 0xe0 &&
  (second & 0x18) !== 0x08 &&
  (second & 0x06) !== 0 &&
  third >> 4 !== 0 &&
  third >> 4 !== 15

const wordAt = (bytes: Uint8Array, at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4))
