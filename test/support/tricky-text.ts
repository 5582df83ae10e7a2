import fc from 'fast-check'

/** What tokenizers get wrong: characters that two languages class differently, half characters, marks on their own,
 * line ends, letters without case, contractions, text that spells a special token. */
const trickyParts = [
  ...[
    '\ufeff',
    '\u0085',
    '\u00a0',
    '\u00ad',
    '\u1680',
    '\u180e',
    '\u200b',
    '\u200c',
    '\u200d',
    '\u2028',
    '\u202f',
  ],
  ...['\u2060', '\u3000', '\0', '\u0001', '\u001c', '\u007f', '\ufffd', '\uffff'],
  ...[' ', '  ', '   ', '\t', '\n', '\r', '\r\n', '\n\n', '\v', '\f'],
  ...['\ud83d', '\udc4d', '👍', '👩‍👩‍👧‍👦', '🇫🇷', '❤️', '🏽', '\u20e3'],
  ...['\u0301', '\u0308', '\u093f', 'é', 'É', 'ﬁ', 'ß', 'ſ', 'K', 'ǅ', 'ʰ', 'ª', 'ⅷ', 'Ⓐ', '𝒜', '𐐀'],
  ...['日', '本', '語', 'あ', 'ン', '한', '的', 'ا', 'ש', 'न', 'म', 'ไ', 'ย'],
  ...['0', '1', '42', '1234567', '½', '٣', '²', '一'],
  ...["'", "'s", "'S", "'t", "'ll", "'LL", "'Ve", "'re", "'ſ", "'l", '’s', '"'],
  ...['/', '//', '.', ',', '-', '---', '_', '{', '}', '=', '<', '#', '\\', '`'],
  ...['a', 'b', 'Z', 'Q', 'the', ' the', 'ing', 'Hello', 'HTTPServer', 'iPhone', 'DON', 'using', 'namespace'],
  ...['<|endoftext|>', '<|im_start|>', '<|return|>'],
]

/** Texts of 4 to 40 tricky parts, and now and then any character. */
export const trickyText = fc.string({
  unit: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...trickyParts) },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 0x2fff }).map((point) => String.fromCodePoint(point)) },
  ),
  minLength: 4,
  maxLength: 40,
  size: 'max',
})
