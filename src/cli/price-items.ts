import { errorCodes, OctroiError } from '../errors.ts'
import type { Cost } from '../pricing/price.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import type { Instant } from '../time.ts'
import type { Io } from './command.ts'
import { reportError } from './errors.ts'
import type { Item, Items } from './items.ts'
import { formatJson } from './json.ts'
import { lineWriter } from './line-writer.ts'
import { formatCost, isEstimated, type PriceItem, parsePriceItem, priceOfItem } from './price-item.ts'
import { emptyBill, formatBill, putOnBill } from './price-table.ts'

/** How to price: with which book, as known when, and printed for whom. `strict`: a bad line ends it all. */
export type PriceOptions = {
  readonly book: PriceBook
  readonly asOf?: Instant
  readonly json: boolean
  readonly strict?: boolean
}

/** Prices items and prints their costs in the form in which the items came. Of JSON Lines every line is answered:
 * a bad one with its error, the others with their cost; they are kept no longer than the reader of the output takes
 * for them. Returns the exit code: 1 where a line was bad, 4 where something has no price. Throws the error of a bad
 * item of any other form, with nothing printed, and of a bad line where that is asked for. */
export const priceItems = async (
  { form, items }: Items,
  options: PriceOptions,
  io: Pick<Io, 'out' | 'drained' | 'err' | 'color' | 'environment' | 'signal'>,
): Promise<number> => {
  const costs: unknown[] = []
  const bill = emptyBill()
  const lines = lineWriter(io)
  let [bad, unpriced] = [0, 0]
  for await (const item of items) {
    if (io.signal.aborted) {
      lines.flush()
      return errorCodes.internal.exit
    }
    const priced = priceItem(item, options)
    if ('error' in priced) {
      if (form !== 'lines' || options.strict) {
        lines.flush()
        throw priced.error
      }
      bad += 1
      reportError(priced.error, io)
      if (options.json) await lines.write(lineOf({ error: describe(priced.error) }))
      continue
    }
    if (priced.cost.total === null) unpriced += 1
    if (!options.json) putOnBill(priced, bill)
    else {
      const cost = formatCost(priced.cost, isEstimated(priced.item))
      if (form === 'lines') await lines.write(lineOf(cost))
      else costs.push(cost)
    }
  }
  lines.flush()
  if (!options.json) io.out(formatBill(bill, io))
  else if (form === 'object') io.out(costs.map((cost) => `${formatJson(cost)}\n`).join(''))
  else if (form === 'array') io.out(`${formatJson(costs)}\n`)
  return bad > 0 ? 1 : unpriced > 0 ? errorCodes.unpriced.exit : 0
}

const lineOf = (value: unknown): string => `${formatJson(value, { indent: 0 })}\n`

type Priced = { readonly item: PriceItem; readonly cost: Cost } | { readonly error: OctroiError }

const priceItem = (item: Item, { book, asOf }: PriceOptions): Priced => {
  if ('error' in item) return { error: item.error }
  try {
    const parsed = parsePriceItem(item.value)
    const asked = asOf === undefined ? parsed : { ...parsed, call: { ...parsed.call, asOf } }
    return { item: parsed, cost: priceOfItem(asked, book) }
  } catch (error) {
    if (!(error instanceof OctroiError)) throw error
    return { error: new OctroiError(error.code, `${item.place}: ${error.message}`, error.details) }
  }
}

const describe = ({ code, message }: OctroiError): { readonly code: string; readonly message: string } => ({
  code,
  message,
})
