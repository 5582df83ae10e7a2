import { BytePairEncodingCore, type RawBytePairRanks } from 'gpt-tokenizer/BytePairEncodingCore'
import { type Encoding, familyOf } from './model-family.ts'

/** How many tokens a text has. Not `exact`: it has at most that many. */
export type TextCount = { readonly tokens: number; readonly exact: boolean }

/** What counting may still spend on long pieces; one for all the texts of a request, so that a request of a
 * thousand hostile texts costs no more than one. Spent as it is used. */
export type Effort = { left: number }

/** Counts the tokens of texts in one encoding. `count` gives the number alone, `measure` says whether it is
 * exact. Text that spells a special token is plain text. Never throws. */
export type Counter = {
  readonly encoding: Encoding
  readonly count: (text: string) => number
  readonly measure: (text: string, effort?: Effort) => TextCount
}

/** The encoding of a model by its name, by prefix where the name is new; null when no rule knows it. */
export const encodingOf = (model: string): Encoding | null => familyOf(model)?.encoding ?? null

/** The counter of an encoding. Its vocabulary is loaded at the first call and kept: that call takes 0.1 to
 * 0.3 s, during which nothing else runs, so a server makes it at its start.
 *
 * Exact for ordinary text. Two things are taken at their bound, one token a byte: words, runs of white space
 * or of signs so long that merging them (quadratic in the library) would stall whoever waits; and pieces
 * with a byte-order mark, which the library decodes wrongly (but not an English word right behind one). */
export const loadEncoding = (encoding: Encoding): Promise<Counter> => {
  const known = counters.get(encoding)
  if (known !== undefined) return known
  const loading = vocabularies[encoding]().then(({ default: ranks }) => counterOf(encoding, ranks))
  counters.set(encoding, loading)
  return loading
}

/** A full purse: about 20 ms of merging. */
export const newEffort = (): Effort => ({ left: 2 ** 24 })

/** A bound that costs nothing: a text never has more tokens than bytes in UTF-8. */
export const tokensAtMost = (text: string): number => {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    // A pair of surrogates is two units and four bytes; a lone one is sent as U+FFFD, three bytes.
    bytes += unit < 0x800 || isPair(text, i) || isPair(text, i - 1) ? 1 : 2
  }
  return bytes
}

const counters = new Map<Encoding, Promise<Counter>>()

const vocabularies: Record<Encoding, () => Promise<{ default: RawBytePairRanks }>> = {
  cl100k_base: () => import('gpt-tokenizer/bpeRanks/cl100k_base'),
  o200k_base: () => import('gpt-tokenizer/bpeRanks/o200k_base'),
}

/** White space as the vendor's tokenizer means it: JavaScript's `\s` takes U+FEFF in and leaves U+0085 out. */
const space = String.raw`\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000`
const contraction = "'(?:[sS]|[dD]|[mM]|[tT]|[lL][lL]|[vV][eE]|[rR][eE])"
const upper = String.raw`\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}`
const lower = String.raw`\p{Ll}\p{Lm}\p{Lo}\p{M}`

/** How each encoding cuts a text into pieces before merging (openai/tiktoken, tiktoken_ext/openai_public.py). */
const splits: Record<Encoding, RegExp> = {
  cl100k_base: new RegExp(
    [
      contraction,
      String.raw`[^\r\n\p{L}\p{N}]?\p{L}+`,
      String.raw`\p{N}{1,3}`,
      String.raw` ?[^${space}\p{L}\p{N}]+[\r\n]*`,
      `[${space}]+$`,
      String.raw`[${space}]*[\r\n]`,
      `[${space}]+(?![^${space}])`,
      `[${space}]`,
    ].join('|'),
    'gu',
  ),
  o200k_base: new RegExp(
    [
      String.raw`[^\r\n\p{L}\p{N}]?[${upper}]*[${lower}]+(?:${contraction})?`,
      String.raw`[^\r\n\p{L}\p{N}]?[${upper}]+[${lower}]*(?:${contraction})?`,
      String.raw`\p{N}{1,3}`,
      String.raw` ?[^${space}\p{L}\p{N}]+[\r\n/]*`,
      String.raw`[${space}]*[\r\n]+`,
      `[${space}]+(?![^${space}])`,
      `[${space}]+`,
    ].join('|'),
    'gu',
  ),
}

/** Finds texts that need care. A piece of more than about 70 characters holds one of these runs. */
const awkward = new RegExp(String.raw`\ufeff|[\p{L}\p{M}]{32}|[${space}]{32}|[^${space}\p{L}\p{N}]{32}`, 'u')

/** A word behind a byte-order mark, as at the start of a file. The mark is a token of its own: in both
 * vocabularies only the words `using` and `namespace` are ever merged with it. */
const markedWord = /^\ufeff(?!using|namespace)[A-Za-z]/

/** Pieces of up to so many bytes are merged without thinking. */
const bytesOfShortPiece = 128

/** Merged pieces remembered: bounded, because a hostile text fills it with pieces of 4 KB. */
const piecesRemembered = 4096

const counterOf = (encoding: Encoding, ranks: RawBytePairRanks): Counter => {
  const split = splits[encoding]
  const core = new BytePairEncodingCore({
    bytePairRankDecoder: ranks,
    tokenSplitRegex: split,
    mergeCacheSize: piecesRemembered,
  })
  const measure = (text: string, effort = newEffort()): TextCount => {
    if (!awkward.test(text)) return { tokens: core.countNative(text), exact: true }
    let tokens = 0
    let exact = true
    for (const [matched] of text.matchAll(split)) {
      const marked = markedWord.test(matched)
      const piece = marked ? matched.slice(1) : matched
      if (marked) tokens += 1
      const bytes = tokensAtMost(piece)
      const work = bytes > bytesOfShortPiece ? bytes * bytes : 0
      if (work > effort.left || piece.includes('\ufeff')) {
        tokens += bytes
        exact = false
      } else {
        effort.left -= work
        tokens += core.countNative(piece)
      }
    }
    return { tokens, exact }
  }
  return { encoding, measure, count: (text) => measure(text).tokens }
}

const isPair = (text: string, at: number): boolean => {
  const high = text.charCodeAt(at)
  const low = text.charCodeAt(at + 1)
  return high >= 0xd800 && high < 0xdc00 && low >= 0xdc00 && low < 0xe000
}
