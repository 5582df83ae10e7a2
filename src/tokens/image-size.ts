import { GIF } from 'image-size/types/gif'
import { HEIF } from 'image-size/types/heif'
import { JPG } from 'image-size/types/jpg'
import { PNG } from 'image-size/types/png'
import { WEBP } from 'image-size/types/webp'
import { bytesOfDataUrl } from './data-url.ts'

/** The size of an image in pixels, as its header says. */
export type ImageSize = { readonly width: number; readonly height: number }

/** Why the size of an image is not known. `not_a_data_url`: a link or a file's id, which is never fetched.
 * `not_base64`: a data URL that cannot be decoded. `unknown_format`: none of PNG, JPEG, GIF, WebP, HEIF, which
 * are what the vendors take. `truncated`: it ends before its size. `malformed`: its header makes no sense.
 * `too_much_metadata`: no size in what is looked at. `impossible_size`: nothing, or more than any vendor
 * takes. Whoever bounds such an image takes the most an image can have. */
export type ImageProblem = {
  readonly code:
    | 'not_a_data_url'
    | 'not_base64'
    | 'unknown_format'
    | 'truncated'
    | 'malformed'
    | 'too_much_metadata'
    | 'impossible_size'
  readonly message: string
}

/** Reads the size of an image from its bytes, or from a data URL. Never throws; looks at no more than
 * `bytesMax`, a MiB unless told, and holds the thread for less than 50 ms, whatever it is given. */
export const sizeOfImage = (image: Uint8Array | string, bytesMax = mebibyte): ImageSize | ImageProblem => {
  if (typeof image !== 'string') {
    return sizeOf(image.subarray(0, bytesMax), image.length <= bytesMax)
  }
  for (const step of stepBytes) {
    const bytesRead = Math.min(step, bytesMax)
    const read = bytesOfDataUrl(image, bytesRead)
    if (typeof read === 'string') return problem(read)
    const size = sizeOf(read.bytes, read.whole)
    if ('width' in size || size.code !== 'too_much_metadata') return size
    if (bytesRead === bytesMax) return size
  }
  return problem('too_much_metadata')
}

/** Most headers are within the first, nearly all within the second; metadata in front of a photograph's size can
 * take much more. */
const mebibyte = 1024 * 1024
const stepBytes = [1024, 64 * 1024, mebibyte]

/** No vendor takes a longer side: the longest is OpenAI's, 65,535 pixels (images-vision guide, August 2026). */
const sideMax = 65_535

/** Nor does any take more pixels: 30,000 patches of 1,024 pixels each are OpenAI's limit; a photograph that is
 * shrunk before it is counted may have more, so this stands well above every camera. */
const pixelsMax = 1_000_000_000

const messages: Record<ImageProblem['code'], string> = {
  not_a_data_url: 'The image is not in the request, and is not fetched. Its size is not known.',
  not_base64: 'The data URL of the image is not base64.',
  unknown_format: 'The image is none of PNG, JPEG, GIF, WebP and HEIF.',
  truncated: 'The image ends before its size.',
  malformed: 'The header of the image makes no sense.',
  too_much_metadata: 'What was looked at of the image does not say its size.',
  impossible_size: 'The header of the image states a size that no image has, or none that a vendor takes.',
}

const problem = (code: ImageProblem['code']): ImageProblem => ({ code, message: messages[code] })

type Format = {
  readonly starts: (bytes: Uint8Array) => boolean
  /** The part of the bytes that the library reads; a problem where it is not among them. */
  readonly header: (bytes: Uint8Array, whole: boolean) => Uint8Array | 'more' | 'malformed'
  readonly read: (header: Uint8Array) => ImageSize
}

/** The first so many bytes, or more are needed. */
const firstOf =
  (bytesNeeded: number) =>
  (bytes: Uint8Array): Uint8Array | 'more' =>
    bytes.length < bytesNeeded ? 'more' : bytes.subarray(0, bytesNeeded)

const formats: readonly Format[] = [
  { starts: startsWith(0x89, 0x50, 0x4e, 0x47), header: firstOf(40), read: reader(PNG) },
  { starts: startsWith(0xff, 0xd8), header: jpegHeader, read: reader(JPG) },
  { starts: startsWith(0x47, 0x49, 0x46, 0x38), header: firstOf(10), read: reader(GIF) },
  { starts: startsWith(0x52, 0x49, 0x46, 0x46), header: firstOf(30), read: reader(WEBP) },
  {
    starts: (bytes) => startsWith(0x66, 0x74, 0x79, 0x70)(bytes.subarray(4)),
    header: (bytes, whole) => (whole || bytes.length >= heifBytesMax ? bytes.slice(0, heifBytesMax) : 'more'),
    read: reader(HEIF),
  },
]

/** The library compares every size in a HEIF file with every clipping, so it gets no more than this. */
const heifBytesMax = 16 * 1024

const sizeOf = (bytes: Uint8Array, whole: boolean): ImageSize | ImageProblem => {
  const short = problem(whole ? 'truncated' : 'too_much_metadata')
  if (bytes.length === 0) return problem('truncated')
  const format = formats.find(({ starts }) => starts(bytes))
  if (format === undefined) return problem('unknown_format')
  const header = format.header(bytes, whole)
  if (header === 'more') return short
  if (header === 'malformed') return problem('malformed')
  try {
    const { width, height } = format.read(header)
    const possible = [width, height].every((side) => Number.isInteger(side) && side > 0 && side <= sideMax)
    return possible && width * height <= pixelsMax ? { width, height } : problem('impossible_size')
  } catch {
    return problem('malformed')
  }
}

function startsWith(...signature: readonly number[]): (bytes: Uint8Array) => boolean {
  return (bytes) => signature.every((byte, at) => bytes[at] === byte)
}

/** The library's reader of one format: it throws for what is not of that format. */
function reader(format: typeof PNG): (header: Uint8Array) => ImageSize {
  return (header) => {
    if (!format.validate(header)) throw new TypeError('not of the format it starts like')
    return format.calculate(header)
  }
}

/** The library walks through a JPEG byte by byte where a length lies, and copies metadata as it goes. It gets
 * the segment of the size alone, behind the start of the image and an empty comment. */
function jpegHeader(bytes: Uint8Array): Uint8Array | 'more' | 'malformed' {
  let at = 2
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) return 'malformed'
    const marker = bytes[at + 1] ?? 0
    if (marker === 0xff) {
      at += 1
      continue
    }
    const segmentBytes = (bytes[at + 2] ?? 0) * 256 + (bytes[at + 3] ?? 0)
    // The image itself begins, or ends, before any size.
    if (segmentBytes < 2 || marker === 0xda || marker === 0xd9) return 'malformed'
    const end = at + 2 + segmentBytes
    if (marker === 0xc0 || marker === 0xc1 || marker === 0xc2) {
      if (end > bytes.length) return 'more'
      return Uint8Array.of(0xff, 0xd8, 0xff, 0xfe, 0x00, 0x02, ...bytes.subarray(at, end))
    }
    at = end
  }
  return 'more'
}
