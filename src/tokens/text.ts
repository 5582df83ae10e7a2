import type { RawBytePairRanks } from 'gpt-tokenizer/BytePairEncodingCore'
import { newMerge } from './byte-pair.ts'
import { type Encoding, familyOf } from './model-family.ts'
import { newPieceCache } from './piece-cache.ts'
import { type Cut, cutCl100k, cutO200k, cutR50k } from './pieces.ts'
import { hashOf, openVocabulary, rankOf, type Vocabulary } from './vocabulary.ts'

/** How many tokens a text has. Not `exact`: it has at most that many. */
export type TextCount = { readonly tokens: number; readonly exact: boolean }

/** Counts the tokens of texts in one encoding. `count` gives the number alone, `measure` says whether it is
 * exact. Text that spells a special token is plain text; a lone surrogate is U+FFFD, as UTF-8 has it. Never throws. */
export type Counter = {
  readonly encoding: Encoding
  readonly count: (text: string) => number
  readonly measure: (text: string) => TextCount
}

/** The encoding of a model by its name, by prefix where the name is new; null when no rule knows it. */
export const encodingOf = (model: string): Encoding | null => familyOf(model)?.encoding ?? null

/** The counter of an encoding, exact for every text. Its vocabulary is loaded at the first call and kept: that call
 * takes 0.1 to 0.3 s, during which nothing else runs, so a server makes it at its start. Time grows with the text as
 * n log n at most, whatever it says. */
export const loadEncoding = (encoding: Encoding): Promise<Counter> => {
  const known = counters.get(encoding)
  if (known !== undefined) return known
  const loading = encodings[encoding].vocabulary().then((vocabulary) => newCounter(encoding, vocabulary))
  counters.set(encoding, loading)
  return loading
}

/** A counter of its own, over a vocabulary that is open. `forget` empties its cache of pieces, for who measures. */
export const newCounter = (encoding: Encoding, vocabulary: Vocabulary): Counter & { forget: () => void } => {
  const { cut } = encodings[encoding]
  const merge = newMerge(vocabulary)
  const cache = newPieceCache()
  const countPiece = (bytes: Uint8Array, start: number, end: number): number => {
    const hash = hashOf(bytes, start, end)
    if (rankOf(vocabulary, hash, bytes, start, end) !== -1) return 1
    const known = cache.get(hash, bytes, start, end)
    if (known > 0) return known
    const tokens = merge(bytes, start, end)
    cache.set(hash, bytes, start, end, tokens)
    return tokens
  }
  const count = (text: string): number => {
    const { bytes, end } = encode(text)
    let tokens = 0
    for (let start = 0; start < end; ) {
      const next = cut(bytes, start, end)
      tokens += countPiece(bytes, start, next)
      start = next
    }
    return tokens
  }
  return {
    encoding,
    count,
    measure: (text) => ({ tokens: count(text), exact: true }),
    forget: cache.clear,
  }
}

/** A bound that costs nothing: a text never has more tokens than bytes in UTF-8. */
export const tokensAtMost = (text: string): number => {
  let bytes = 0
  for (let start = 0; start < text.length; ) {
    const { read, written } = encoder.encodeInto(start === 0 ? text : text.slice(start), room)
    bytes += written
    start += read
  }
  return bytes
}

const counters = new Map<Encoding, Promise<Counter>>()

type Loader = () => Promise<{ readonly default: RawBytePairRanks }>

/** How an encoding cuts a text, and the vocabulary it merges the pieces by, loaded once. */
const encodingFrom = (cut: Cut, load: Loader): { cut: Cut; vocabulary: () => Promise<Vocabulary> } => {
  let loaded: Promise<Vocabulary> | null = null
  return {
    cut,
    vocabulary: () => {
      loaded ??= load().then(({ default: ranks }) => openVocabulary(ranks))
      return loaded
    },
  }
}

const o200k = encodingFrom(cutO200k, () => import('gpt-tokenizer/bpeRanks/o200k_base'))

const encodings: Record<Encoding, ReturnType<typeof encodingFrom>> = {
  cl100k_base: encodingFrom(cutCl100k, () => import('gpt-tokenizer/bpeRanks/cl100k_base')),
  o200k_base: o200k,
  // Differs in special tokens only, which plain text never has.
  o200k_harmony: o200k,
  p50k_base: encodingFrom(cutR50k, () => import('gpt-tokenizer/bpeRanks/p50k_base')),
  r50k_base: encodingFrom(cutR50k, () => import('gpt-tokenizer/bpeRanks/r50k_base')),
}

/** Short texts are written into one room that is kept. */
const room = new Uint8Array(2 ** 15)
const encoder = new TextEncoder()

const encode = (text: string): { bytes: Uint8Array; end: number } => {
  if (text.length * 3 <= room.length) return { bytes: room, end: encoder.encodeInto(text, room).written }
  const bytes = encoder.encode(text)
  return { bytes, end: bytes.length }
}
