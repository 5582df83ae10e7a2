import { classAt, letter, lower, newline, number, other, upper, white, widthOf } from './character-class.ts'

/** Where the piece ends that begins at `start`: an encoding cuts a text into pieces, and merges bytes within a
 * piece only. `bytes` are valid UTF-8, `start` is below `end`, where the text ends. */
export type Cut = (bytes: Uint8Array, start: number, end: number) => number

/** The cuts of r50k_base and p50k_base: a contraction; letters, digits or signs with a space before them; white
 * space. The patterns of all cuts are the vendor's (openai/tiktoken, tiktoken_ext/openai_public.py), walked by hand
 * because a regular expression keeps a trace of every character it may go back to, and gives up on a long text. */
export const cutR50k: Cut = (bytes, start, end) => {
  const contracted = afterContraction(bytes, start, end, { anyCase: false })
  if (contracted > start) return contracted
  const from = bytes[start] === space ? start + 1 : start
  const kind = from < end ? classAt(bytes, from) & (letter | number | other) : 0
  return kind === 0 ? afterWhite(bytes, start, end, { lines: false }) : afterRun(bytes, from, end, kind)
}

/** The cuts of cl100k_base: a contraction in any case; letters with any sign before them; up to three digits;
 * signs with a space before them and their line ends; white space, lines apart. */
export const cutCl100k: Cut = (bytes, start, end) => {
  const contracted = afterContraction(bytes, start, end, { anyCase: true })
  if (contracted > start) return contracted
  const letters = afterPrefix(bytes, start)
  const word = afterRun(bytes, letters, end, letter)
  if (word > letters) return word
  return afterRest(bytes, start, end, { slashes: false })
}

/** The cuts of o200k_base and o200k_harmony: as cl100k_base, but a word ends where lower case turns to upper, takes
 * combining marks in and a contraction behind it; signs take slashes behind them. */
export const cutO200k: Cut = (bytes, start, end) => {
  const word = afterCasedWord(bytes, start, end)
  if (word > start) return afterContraction(bytes, word, end, { anyCase: true })
  return afterRest(bytes, start, end, { slashes: true })
}

const space = 0x20
const slash = 0x2f
const apostrophe = 0x27

/** `'s`, `'t`, `'d`, `'m`, `'ll`, `'ve`, `'re`: behind it, or `at` where there is none. Folding case as the vendor's
 * patterns do makes an s of the long s, U+017F, too. */
const afterContraction = (
  bytes: Uint8Array,
  at: number,
  end: number,
  { anyCase }: { anyCase: boolean },
): number => {
  if (bytes[at] !== apostrophe || at + 1 >= end) return at
  const fold = anyCase ? 0x20 : 0
  const first = (bytes[at + 1] ?? 0) | fold
  if (first === 0x73 || first === 0x74 || first === 0x64 || first === 0x6d) return at + 2
  if (at + 2 >= end) return at
  const second = (bytes[at + 2] ?? 0) | fold
  if (first === 0x6c && second === 0x6c) return at + 3
  if ((first === 0x76 || first === 0x72) && second === 0x65) return at + 3
  return anyCase && bytes[at + 1] === 0xc5 && bytes[at + 2] === 0xbf ? at + 3 : at
}

/** The first character itself where it is a letter, a digit or a line end; behind it where it is anything else. */
const afterPrefix = (bytes: Uint8Array, start: number): number =>
  classAt(bytes, start) & (letter | number | newline) ? start : start + widthOf(bytes[start] ?? 0)

/** `at`, or behind all characters from there on that are of one of these kinds. */
const afterRun = (bytes: Uint8Array, at: number, end: number, kinds: number): number => {
  while (at < end && classAt(bytes, at) & kinds) at += widthOf(bytes[at] ?? 0)
  return at
}

/** Behind a word of o200k, `start` where there is none. A combining mark is both a sign that may stand before a word
 * and a part of one, so where no word follows it, it may be one itself. */
const afterCasedWord = (bytes: Uint8Array, start: number, end: number): number => {
  const letters = afterPrefix(bytes, start)
  const cased = afterCased(bytes, letters, end)
  if (cased !== -1) return cased
  const marked = letters > start ? afterCased(bytes, start, end) : -1
  if (marked !== -1) return marked
  const capitals = afterRun(bytes, letters, end, upper)
  return capitals > letters ? capitals : start
}

/** Any number of upper, then at least one of lower; -1 where there is none. What is both may be taken for either, so
 * the word ends with the lower run that follows, else with the last character that is both. */
const afterCased = (bytes: Uint8Array, start: number, end: number): number => {
  let afterBoth = -1
  let at = start
  while (at < end) {
    const kind = classAt(bytes, at)
    if (!(kind & upper)) break
    at += widthOf(bytes[at] ?? 0)
    if (kind & lower) afterBoth = at
  }
  const afterLower = afterRun(bytes, at, end, lower)
  return afterLower > at ? afterLower : afterBoth
}

/** What is no word: up to three digits, signs with what ends them, or white space. */
const afterRest = (
  bytes: Uint8Array,
  start: number,
  end: number,
  { slashes }: { slashes: boolean },
): number => {
  if (classAt(bytes, start) & number) return afterDigits(bytes, start, end)
  const from = bytes[start] === space ? start + 1 : start
  let at = afterRun(bytes, from, end, other)
  if (at === from) return afterWhite(bytes, start, end, { lines: true })
  while (at < end && (classAt(bytes, at) & newline || (slashes && bytes[at] === slash))) at += 1
  return at
}

const afterDigits = (bytes: Uint8Array, start: number, end: number): number => {
  let at = start
  for (let digits = 0; digits < 3 && at < end && classAt(bytes, at) & number; digits++) {
    at += widthOf(bytes[at] ?? 0)
  }
  return at
}

/** White space up to its last line end, where `lines` count and it has one; else all of it at the end of the text,
 * and all but its last character before anything else, which that one may go with. */
const afterWhite = (bytes: Uint8Array, start: number, end: number, { lines }: { lines: boolean }): number => {
  let at = start
  let last = start
  let afterLine = start
  while (at < end) {
    const kind = classAt(bytes, at)
    if (!(kind & white)) break
    last = at
    at += widthOf(bytes[at] ?? 0)
    if (kind & newline) afterLine = at
  }
  if (lines && afterLine > start) return afterLine
  return at === end || last === start ? at : last
}
