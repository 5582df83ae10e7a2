import { OctroiError } from '../errors.ts'
import type { Io } from './command.ts'
import { answerItems } from './item-answers.ts'
import type { Items } from './items.ts'
import { formatQuoteJson, type QuoteOptions, quoteRequest } from './quote-item.ts'
import { formatQuoteTable } from './quote-table.ts'

/** Quotes request bodies and prints the quotes in the form in which they came, as `answerItems` does. Throws
 * `bad_number` too for an expected output that is no number of tokens. */
export const quoteItems = async (
  items: Items,
  asked: Omit<QuoteOptions, 'expectedOutput'> & {
    readonly expectedOutput: string | null
    readonly json: boolean
  },
  io: Pick<Io, 'out' | 'err' | 'color' | 'environment' | 'signal'>,
): Promise<number> => {
  const options = { ...asked, expectedOutput: tokensOf(asked.expectedOutput) }
  return answerItems(
    items,
    {
      json: asked.json,
      answer: (value) => quoteRequest(value, options),
      isUnpriced: ({ quote }) => quote.unpriced.length > 0,
      toJson: formatQuoteJson,
      toTable: (quoted) => formatQuoteTable(quoted, io),
    },
    io,
  )
}

const tokensOf = (text: string | null): number | null => {
  if (text === null) return null
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new OctroiError(
    'bad_number',
    `--expected-output is "${text.slice(0, 60)}". It must be a whole number of tokens, such as 200.`,
  )
}
