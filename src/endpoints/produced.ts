/** Text kept of a stream for counting; past it the count is a lower bound. */
const charactersMax = 8_000_000

/** The choices whose text is kept. */
const choicesMax = 128

/** Gathers the visible text of a stream, one text a choice. */
export const gatherProduced = () => {
  const texts: string[] = []
  let characters = 0
  return {
    add: (text: string, index: number): void => {
      if (text === '' || characters > charactersMax || index >= choicesMax) return
      characters += text.length
      texts[index] = (texts[index] ?? '') + text
    },
    texts: (): readonly string[] => Array.from(texts, (text) => text ?? ''),
  }
}
