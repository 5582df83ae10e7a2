/** Why bytes could not be read from a text: it is no data URL, it is one in another coding than base64, or its
 * base64 is broken. */
export type DataUrlProblem = 'not_a_data_url' | 'not_base64'

/** The bytes of a data URL, at most so many of them; `whole` when they are all there are. */
export type DataUrlBytes = { readonly bytes: Uint8Array; readonly whole: boolean }

/** Reads the first bytes of a data URL. Its work grows with `bytesMax`, not with the text. */
export const bytesOfDataUrl = (url: string, bytesMax: number): DataUrlBytes | DataUrlProblem => {
  const head = /^data:([^,]*),/i.exec(url.slice(0, headCharactersMax))
  if (head === null) return 'not_a_data_url'
  if (!/;\s*base64\s*$/i.test(head[1] ?? '')) return 'not_base64'
  const start = head[0].length
  const wanted = Math.ceil(bytesMax / 3) * 4
  const whole = url.length - start <= wanted
  // White space is allowed in base64. Where the text is cut, the cut stands between two groups of four.
  const base64 = url.slice(start, start + wanted).replace(/[\t\n\f\r ]+/g, '')
  const cut = whole ? base64 : base64.slice(0, base64.length - (base64.length % 4))
  const decoded = decode(cut)
  if (decoded === null) return 'not_base64'
  return { bytes: decoded.subarray(0, bytesMax), whole: whole && decoded.length <= bytesMax }
}

/** Some bytes of a text in base64; null where it is none there, as white space makes it. Its work grows with
 * `bytesMax`. */
export const bytesOfBase64 = (
  base64: string,
  { from, bytesMax }: { readonly from: number; readonly bytesMax: number },
): Uint8Array<ArrayBuffer> | null => {
  const start = Math.floor(from / 3) * 4
  const groups = Math.ceil(((from % 3) + bytesMax) / 3)
  return decode(base64.slice(start, start + groups * 4))?.subarray(from % 3, (from % 3) + bytesMax) ?? null
}

const decode = (base64: string): Uint8Array<ArrayBuffer> | null => {
  try {
    const binary = atob(base64)
    const bytes = new Uint8Array(binary.length)
    for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at)
    return bytes
  } catch {
    return null
  }
}

/** Longer than any media type with its parameters. */
const headCharactersMax = 1024
