import { errorCodes, OctroiError } from '../errors.ts'
import type { Io } from './command.ts'
import { reportError } from './errors.ts'
import type { Item, Items } from './items.ts'
import { formatJson } from './json.ts'
import { formatQuoteJson, type QuotedRequest, type QuoteOptions, quoteRequest } from './quote-item.ts'
import { formatQuoteTable } from './quote-table.ts'

/** Quotes request bodies and prints the quotes in the form in which they came. Of JSON Lines every line is
 * answered, a bad one with its error. Returns the exit code: 1 where a line was bad, 4 where something has no
 * price. Throws the error of a bad item of any other form, with nothing printed, and `bad_number` for an expected
 * output that is no number of tokens. */
export const quoteItems = async (
  { form, items }: Items,
  asked: Omit<QuoteOptions, 'expectedOutput'> & {
    readonly expectedOutput: string | null
    readonly json: boolean
  },
  io: Pick<Io, 'out' | 'err' | 'color' | 'environment' | 'signal'>,
): Promise<number> => {
  const options = { ...asked, expectedOutput: tokensOf(asked.expectedOutput) }
  const quotes: QuotedRequest[] = []
  let [bad, unpriced] = [0, 0]
  for await (const item of items) {
    if (io.signal.aborted) return errorCodes.internal.exit
    const quoted = await quoteItem(item, options)
    if (quoted instanceof OctroiError) {
      if (form !== 'lines') throw quoted
      bad += 1
      reportError(quoted, io)
      const { code, message } = quoted
      if (options.json) io.out(`${formatJson({ error: { code, message } }, { indent: 0 })}\n`)
      continue
    }
    if (quoted.quote.unpriced.length > 0) unpriced += 1
    if (options.json && form === 'lines') io.out(`${formatJson(formatQuoteJson(quoted), { indent: 0 })}\n`)
    else quotes.push(quoted)
  }
  if (!options.json) io.out(quotes.map((quoted) => formatQuoteTable(quoted, io)).join('\n'))
  else if (form === 'object') {
    io.out(quotes.map((quoted) => `${formatJson(formatQuoteJson(quoted))}\n`).join(''))
  } else if (form === 'array') io.out(`${formatJson(quotes.map(formatQuoteJson))}\n`)
  return bad > 0 ? 1 : unpriced > 0 ? errorCodes.unpriced.exit : 0
}

const quoteItem = async (item: Item, options: QuoteOptions): Promise<QuotedRequest | OctroiError> => {
  if ('error' in item) return item.error
  try {
    return await quoteRequest(item.value, options)
  } catch (error) {
    if (!(error instanceof OctroiError)) throw error
    return new OctroiError(error.code, `${item.place}: ${error.message}`, error.details)
  }
}

const tokensOf = (text: string | null): number | null => {
  if (text === null) return null
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new OctroiError(
    'bad_number',
    `--expected-output is "${text.slice(0, 60)}". It must be a whole number of tokens, such as 200.`,
  )
}
