import { z } from 'zod'
import { OctroiError } from '../../errors.ts'
import type { PriceBook } from '../../pricing/price-book.ts'
import { type Clock, formatInstant, type Instant, parseInstant } from '../../time.ts'
import { type AskedTexts, readAsked } from './asked.ts'
import { exportFocus, type FocusAsked, focusTexts, promotionsOf } from './focus.ts'
import { openFocusSource } from './focus-source.ts'
import type { Reader } from './reader.ts'

/** Where an export is asked for. */
export const focusPath = '/octroi/v1/exports/focus'

const hour = z.string().transform((written, context): number => {
  try {
    const at = parseInstant(written)
    if (at % 3_600_000 === 0) return at
    context.addIssue({ code: 'custom', message: `"${written.slice(0, 40)}" is not a whole hour.` })
  } catch (error) {
    if (!(error instanceof OctroiError)) throw error
    context.addIssue({ code: 'custom', message: `cannot be read: ${error.message}` })
  }
  return z.NEVER
})

/** What an export is asked for over HTTP: what the options of the command are, but for files. */
export const focusQuery = z.strictObject({
  from: hour.optional().describe('From this hour on: the first of this month, in UTC, unless said.'),
  to: hour.optional().describe('Up to but not including this hour: the first of next month unless said.'),
  format: z.enum(['csv', 'jsonl']).optional().describe('csv unless said.'),
  version: z.enum(['1.4', '1.2']).optional().describe('Of FOCUS: 1.4 unless said.'),
  tags: z.string().optional().describe('Tags to tell rows apart by, comma between.'),
  billingAccount: z
    .string()
    .min(1)
    .optional()
    .describe('The account of what no organization is known of: default unless said.'),
})

/** Reads names with commas between, each once. */
export const readTags = (written: string | undefined): readonly string[] =>
  written === undefined ? [] : [...new Set(written.split(',').map((name) => name.trim()))]

type FocusParts = {
  readonly reader: Reader
  readonly sealed: string | null
  readonly book: PriceBook
  readonly clock: Clock
}

const monthOf = (at: Instant): { readonly from: Instant; readonly to: Instant } => {
  const day = new Date(at)
  const [year, month] = [day.getUTCFullYear(), day.getUTCMonth()]
  return { from: Date.UTC(year, month), to: Date.UTC(year, month + 1) }
}

const types = { csv: 'text/csv; charset=utf-8; header=present', jsonl: 'application/jsonl' } as const

/** Answers with an export as it is read, row for row what the command writes. A failure before the first row is refused
 * as any other; a later one breaks the reply off. When the client goes, the reading ends. */
export const answerFocus = async (
  { reader, sealed, book, clock }: FocusParts,
  query: AskedTexts,
): Promise<Response> => {
  const month = monthOf(clock.now())
  const asked = readAsked(focusQuery, query)
  const { format = 'csv', version = '1.4', billingAccount = 'default', tags } = asked
  const { from = month.from, to = month.to } = asked
  if (from >= to) {
    throw new OctroiError('bad_input', `from: ${formatInstant(from)} is not before ${formatInstant(to)}.`)
  }
  const wanted: FocusAsked = {
    ...{ version, from, to, billingAccount, tags: readTags(tags) },
    isPromotion: promotionsOf(book),
  }
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const writer = writable.getWriter()
  const encoder = new TextEncoder()
  const begun = Promise.withResolvers<void>()
  const run = reader.read((database) =>
    exportFocus(openFocusSource(database, sealed ?? ''), wanted, focusTexts[format], async (piece) => {
      begun.resolve()
      await writer.ready
      await writer.write(encoder.encode(piece))
    }),
  )
  run
    .then(
      () => writer.close(),
      (error: unknown) => writer.abort(error),
    )
    .catch(() => {})
  await Promise.race([begun.promise, run])
  return new Response(readable, { headers: { 'content-type': types[format] } })
}
