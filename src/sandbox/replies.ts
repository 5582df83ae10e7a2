import { OctroiError } from '../errors.ts'
import { type Random, randomFrom } from './random.ts'

/** The most tokens of one text made here. */
const tokensMax = 1_000_000

/** A text of exactly `count` tokens, the same for the same seed, in cl100k_base and in o200k_base.
 * Throws `bad_number` when `count` is not a whole number from 0 to 1,000,000. */
export const textOfTokens = (count: number, seed: string | number): string =>
  replyPieces(count, randomFrom('text', String(seed))).join('')

/** The tokens of such a text, one by one. Every word below is one token with the space before it, at the
 * start of a text and within it, and so are the marks; the encodings cut a text before each of them, so that
 * the number of pieces is the number of tokens. The tests count every word. */
export const replyPieces = (count: number, random: Random): readonly string[] => {
  if (!Number.isInteger(count) || count < 0 || count > tokensMax) {
    throw new OctroiError('bad_number', `A text of ${count} tokens cannot be made: from 0 to ${tokensMax}.`)
  }
  const pieces: string[] = []
  while (pieces.length < count) {
    for (const word of sentence(random)) {
      if (pieces.length === count) break
      pieces.push(word === '.' || word === ',' || pieces.length === 0 ? word : ` ${word}`)
    }
  }
  return endWell(pieces)
}

/** A text that was cut short ends in a full stop, or in one more word where the cut came after a mark. */
const endWell = (pieces: string[]): readonly string[] => {
  const [before, last] = [pieces.at(-2), pieces.at(-1)]
  if (before === undefined || last === '.') return pieces
  pieces[pieces.length - 1] = before === '.' ? ' Indeed' : before === ',' ? ' indeed' : '.'
  return pieces
}

/** The kinds of words; `words` lists every one of them. */
type Slot = keyof typeof words | ',' | '.'

const sentence = (random: Random): readonly string[] =>
  random.pick(patterns).map((slot, index) => {
    const word = slot === ',' || slot === '.' ? slot : random.pick(words[slot])
    return index === 0 ? capital(word) : word
  })

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

const noun = ['article', 'adjective', 'thing'] as const
const patterns: readonly [readonly Slot[], ...(readonly Slot[])[]] = [
  [...noun, 'does', ...noun, '.'],
  ['article', 'thing', 'does', 'article', 'thing', 'where', ...noun, '.'],
  ['where', 'article', 'thing', ',', ...noun, 'does', 'article', 'thing', '.'],
  ['article', 'thing', 'does', 'article', 'thing', ',', 'link', ...noun, 'does', 'article', 'thing', '.'],
  ['when', ',', ...noun, 'does', 'article', 'thing', 'where', 'article', 'thing', '.'],
  [...noun, 'where', 'article', 'thing', 'does', 'article', 'thing', 'link', 'does', 'article', 'thing', '.'],
]

/** Words of which each is one token. Those that may begin a sentence are one token with a capital as well. */
export const words = {
  article: ['the', 'this', 'that', 'every', 'each', 'another', 'one'],
  when: ['often', 'today', 'soon', 'still', 'again', 'together', 'there'],
  where: [
    ...['near', 'under', 'over', 'behind', 'beyond', 'before', 'after', 'against', 'through', 'across'],
    ...['within', 'without', 'along', 'around', 'above', 'below', 'between'],
  ],
  link: ['and', 'but', 'so', 'or'],
  adjective: [
    ...['quiet', 'small', 'bright', 'old', 'new', 'long', 'short', 'warm', 'cold', 'clear', 'deep', 'early'],
    ...['late', 'gentle', 'simple', 'green', 'blue', 'red', 'golden', 'heavy', 'light', 'open', 'broad'],
    ...['narrow', 'young', 'wild', 'soft', 'dry', 'fresh', 'rich', 'calm', 'patient', 'honest', 'careful'],
    ...['busy', 'distant', 'plain', 'strange', 'steady', 'slow', 'quick', 'silver', 'white', 'empty', 'full'],
  ],
  thing: [
    ...['river', 'market', 'bridge', 'harbor', 'garden', 'city', 'gate', 'road', 'hill', 'forest', 'letter'],
    ...['story', 'merchant', 'traveler', 'baker', 'clerk', 'window', 'door', 'lamp', 'table', 'book', 'map'],
    ...['boat', 'ship', 'field', 'village', 'tower', 'wall', 'street', 'square', 'winter', 'summer'],
    ...['morning', 'evening', 'night', 'wind', 'rain', 'stone', 'tree', 'bird', 'horse', 'wheel', 'coin'],
    ...['basket', 'cloth', 'bread', 'wine', 'salt', 'fish', 'corn', 'wool', 'guard', 'child', 'teacher'],
    ...['captain', 'song', 'dream', 'promise', 'question', 'answer', 'voice', 'island', 'valley', 'mountain'],
    ...['lake', 'shore', 'cart', 'kitchen', 'station', 'train', 'clock', 'page', 'chapter', 'picture'],
  ],
  does: [
    ...['crosses', 'carries', 'follows', 'opens', 'watches', 'keeps', 'leaves', 'finds', 'holds', 'brings'],
    ...['counts', 'remembers', 'meets', 'passes', 'reaches', 'shows', 'guards', 'builds', 'paints', 'writes'],
    ...['reads', 'hears'],
  ],
} as const satisfies Record<string, readonly [string, ...string[]]>
