/** What the vendor's patterns ask of a character, as bits of one number. Every character is exactly one of
 * `letter`, `number`, `white` and `other`. `newline`: a carriage return or a line feed. `upper` and `lower`: the
 * two sides of a cased word; letters without case and combining marks are on both. */
export const letter = 1
export const number = 2
export const white = 4
export const other = 8
export const newline = 16
export const upper = 32
export const lower = 64

/** The class of the character that begins at a byte of valid UTF-8. */
export const classAt = (bytes: Uint8Array, at: number): number => {
  const byte = bytes[at] ?? 0
  const codePoint = byte < 0x80 ? byte : codePointAt(bytes, at)
  return classes[codePoint] || classify(codePoint)
}

/** How many bytes the character has that begins with this byte. */
export const widthOf = (byte: number): number => {
  if (byte < 0x80) return 1
  if (byte < 0xe0) return 2
  return byte < 0xf0 ? 3 : 4
}

/** The letters, digits and marks that Unicode 17 added (September 2025). To the vendor's tokenizer they are signs (seen
 * in tiktoken 1.0.22, character by character); so they are here, on a machine that knows them and on one that does not. */
export const sinceUnicode17 = new RegExp(
  `[${[
    String.raw`\u088f\u0c5c\u0cdc\u1acf-\u1add\u1ae0-\u1aeb\ua7ce-\ua7cf\ua7d2\ua7d4\ua7f1`,
    String.raw`\u{10940}-\u{10959}\u{10ec5}-\u{10ec7}\u{10efa}-\u{10efb}\u{11b60}-\u{11b67}`,
    String.raw`\u{11db0}-\u{11ddb}\u{11de0}-\u{11de9}\u{16ea0}-\u{16eb8}\u{16ebb}-\u{16ed3}`,
    String.raw`\u{16ff2}-\u{16ff6}\u{187f8}-\u{187ff}\u{18d09}-\u{18d1e}\u{18d80}-\u{18df2}`,
    String.raw`\u{1e6c0}-\u{1e6de}\u{1e6e0}-\u{1e6f5}\u{1e6fe}-\u{1e6ff}\u{2b73a}-\u{2b73f}`,
    String.raw`\u{2cea2}-\u{2cead}\u{323b0}-\u{33479}`,
  ].join('')}]`,
  'u',
)

/** Filled as characters are met; 0 is a character nobody has met. Memory that is not touched is not used. */
const classes = new Uint8Array(0x110000)

const classify = (codePoint: number): number => {
  const character = String.fromCodePoint(codePoint)
  const found = sinceUnicode17.test(character)
    ? 0
    : table.reduce((bits, [pattern, bit]) => (pattern.test(character) ? bits | bit : bits), 0)
  const bits = found & (letter | number | white) ? found : found | other
  classes[codePoint] = bits
  return bits
}

/** White space is written out: JavaScript's `\s` takes U+FEFF in and leaves U+0085 out, the vendor's does the
 * reverse. */
const table: readonly (readonly [RegExp, number])[] = [
  [/\p{L}/u, letter],
  [/\p{N}/u, number],
  [/[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/u, white],
  [/[\r\n]/u, newline],
  [/[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]/u, upper],
  [/[\p{Ll}\p{Lm}\p{Lo}\p{M}]/u, lower],
]

const codePointAt = (bytes: Uint8Array, at: number): number => {
  const first = bytes[at] ?? 0
  const second = (bytes[at + 1] ?? 0) & 0x3f
  if (first < 0xe0) return ((first & 0x1f) << 6) | second
  const third = (bytes[at + 2] ?? 0) & 0x3f
  if (first < 0xf0) return ((first & 0x0f) << 12) | (second << 6) | third
  return ((first & 0x07) << 18) | (second << 12) | (third << 6) | ((bytes[at + 3] ?? 0) & 0x3f)
}
