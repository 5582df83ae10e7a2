/** Text kept of a stream for counting; past it the count is a lower bound. */
const charactersMax = 8_000_000

/** The choices whose text is kept. */
const choicesMax = 128

/** No token of OpenAI's encodings has more bytes (o200k_base, cl100k_base and r50k_base as gpt-tokenizer 3 has them). */
const tokenBytesMax = 128

/** Gathers the visible text of a stream, one text a choice. */
export const gatherProduced = () => {
  const texts: string[] = []
  let characters = 0
  let [pieces, length] = [0, 0]
  return {
    add: (text: string, index: number): void => {
      if (text !== '') pieces += 1
      length += text.length
      if (text === '' || characters > charactersMax || index >= choicesMax) return
      characters += text.length
      texts[index] = (texts[index] ?? '') + text
    },
    /** How many tokens came at least: one with each piece of text, and one for as many bytes as a token can have. */
    tokensLeast: (): number => Math.max(pieces, Math.ceil(length / tokenBytesMax)),
    texts: (): readonly string[] => Array.from(texts, (text) => text ?? ''),
  }
}
