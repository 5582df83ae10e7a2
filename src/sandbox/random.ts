import { createHash, webcrypto } from 'node:crypto'

/** Numbers that look like chance and are the same for the same seed. */
export type Random = {
  /** A whole number from `least` to `most`, both included. */
  readonly whole: (range: { readonly least: number; readonly most: number }) => number
  readonly pick: <T>(list: readonly [T, ...T[]]) => T
}

/** Makes the numbers that belong to a seed. The parts are told apart: `('a', 'bc')` is not `('ab', 'c')`. */
export const randomFrom = (...seed: readonly string[]): Random => {
  const words = digest(seed)
  let [a, b, c, counter] = [words.readUInt32LE(0), words.readUInt32LE(4), words.readUInt32LE(8), 1]
  // sfc32, the small fast counting generator of PractRand.
  const next = (): number => {
    const sum = (a + b + counter) >>> 0
    counter = (counter + 1) >>> 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) >>> 0
    c = (((c << 21) | (c >>> 11)) + sum) >>> 0
    return sum
  }
  const whole: Random['whole'] = ({ least, most }) => least + (next() % (most - least + 1))
  return { whole, pick: (list) => list[whole({ least: 0, most: list.length - 1 })] ?? list[0] }
}

const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Letters and digits that belong to a seed: the part of an id that says nothing. At most 64. */
export const lettersFrom = (length: number, ...seed: readonly string[]): string =>
  Array.from(digest(seed).subarray(0, length), (byte) => letters[byte % letters.length]).join('')

/** Hexadecimal digits that belong to a seed. At most 128. */
export const hexFrom = (length: number, ...seed: readonly string[]): string =>
  digest(seed).toString('hex').slice(0, length)

/** Hexadecimal digits that belong to a file. Reads it off the thread. */
export const markOf = async (file: Uint8Array<ArrayBuffer>): Promise<string> =>
  Buffer.from(await webcrypto.subtle.digest('SHA-256', file)).toString('hex')

const digest = (seed: readonly string[]): Buffer =>
  createHash('sha512')
    .update(seed.map((part) => `${part.length}:${part}`).join(''))
    .digest()
