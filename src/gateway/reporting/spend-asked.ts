import { Temporal } from 'temporal-polyfill'
import { z } from 'zod'
import { OctroiError } from '../../errors.ts'
import { isTimeZone } from '../../limits/window.ts'
import {
  isSpendDimension,
  isTime,
  type SpendDimension,
  spendDimensions,
} from '../../reports/spend-dimensions.ts'
import { parseWhere } from '../../reports/spend-where.ts'
import { type Instant, parseInstant } from '../../time.ts'

/** A text that a function reads; what it throws is what is wrong with the parameter. */
const readBy = <Value>(read: (written: string) => Value) =>
  z.string().transform((written, context): Value => {
    try {
      return read(written)
    } catch (error) {
      if (!(error instanceof OctroiError)) throw error
      context.addIssue({ code: 'custom', message: error.message })
      return z.NEVER
    }
  })

/** What is wrong with a value, for `readBy`. */
const wrong = (message: string): OctroiError => new OctroiError('bad_input', message)

/** A whole number from 1 on. */
export const wholeUpTo = (most: number) =>
  readBy((written) => {
    const number = /^\d{1,7}$/.test(written) ? Number(written) : 0
    if (number >= 1 && number <= most) return number
    throw wrong(`cannot be "${written.slice(0, 40)}". Write a whole number from 1 to ${most}.`)
  })

/** A zone of the IANA database. */
const zone = readBy((written) => {
  if (isTimeZone(written)) return written
  throw wrong(`cannot be "${written.slice(0, 40)}". Write a zone of the IANA database: Europe/Paris, UTC.`)
})

const filter = readBy(parseWhere)

/** An instant, or a day of a zone: its first instant. */
const readMoment = (written: string, timeZone: string): Instant => {
  const at = parseInstant(written)
  if (written.length > 10 || timeZone === 'UTC') return at
  return Temporal.PlainDate.from(written).toZonedDateTime(timeZone).epochMilliseconds
}

/** The parameters of a period and a choice, as a spend report and a receipt take them. */
export const figureParameters = {
  from: z
    .string()
    .optional()
    .describe(
      'From this instant on, or the first of this day in the zone. Without it, from the first call on.',
    ),
  to: z.string().optional().describe('Up to but not including this instant, or the first of this day.'),
  zone: zone
    .optional()
    .describe('The zone whose hours, days, weeks and months count: Europe/Paris. UTC unless said.'),
  where: filter
    .optional()
    .describe(
      `Which of the spend: team=search,model=gpt-*. Names of one dimension are alternatives. (none) is what has no name; \\ before a sign takes it as it is. Dimensions: ${spendDimensions.join(', ')}, tag:NAME.`,
    ),
}

/** A period of texts, as instants. */
export const readFigurePeriod = (
  asked: {
    readonly from?: string | undefined
    readonly to?: string | undefined
    readonly zone?: string | undefined
  },
  context: z.RefinementCtx,
): { readonly from: Instant | null; readonly to: Instant | null; readonly timeZone: string } => {
  const timeZone = asked.zone ?? 'UTC'
  const read = (name: 'from' | 'to'): Instant | null => {
    const written = asked[name]
    if (written === undefined) return null
    try {
      return readMoment(written, timeZone)
    } catch (error) {
      const message = error instanceof OctroiError ? error.message : String(error)
      context.addIssue({ code: 'custom', path: [name], message: `cannot be read: ${message}` })
      return null
    }
  }
  const [from, to] = [read('from'), read('to')]
  if (from !== null && to !== null && from >= to) {
    context.addIssue({ code: 'custom', path: ['from'], message: `${asked.from} is not before ${asked.to}.` })
  }
  return { from, to, timeZone }
}

const dimensions = readBy((written): readonly SpendDimension[] => {
  const names = written.split(',').map((name) => name.trim())
  const bad = names.find((name, index) => !isSpendDimension(name) || names.indexOf(name) !== index)
  if (bad !== undefined) {
    throw wrong(
      `cannot be "${bad.slice(0, 80)}". Name each at most once, from: ${spendDimensions.join(', ')}, tag:NAME.`,
    )
  }
  return names.filter(isSpendDimension)
})

const defaultBy: readonly SpendDimension[] = ['team', 'model']

/** What a report of spend is asked for. */
export const spendAsked = z
  .strictObject({
    by: dimensions
      .optional()
      .describe(
        `What to group by, comma between: team,model unless said. From: ${spendDimensions.join(', ')}, tag:NAME.`,
      ),
    ...figureParameters,
    top: wholeUpTo(10_000)
      .optional()
      .describe('Only so many groups of each currency, the largest; the others are one.'),
    compare: z
      .enum(['previous'])
      .optional()
      .describe('Says of each group what it came to in the period before, and why that changed.'),
  })
  .transform(({ by = defaultBy, where = [], top = null, compare, ...rest }, context) => {
    const period = readFigurePeriod(rest, context)
    if (compare !== undefined && (period.from === null || period.to === null)) {
      context.addIssue({ code: 'custom', path: ['compare'], message: 'needs a period: say from and to.' })
    }
    const time = by.find(isTime)
    if (compare !== undefined && time !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['compare'],
        message: `cannot be by ${time}: no ${time} is in both periods.`,
      })
    }
    return { by, where, top, isCompared: compare !== undefined, ...period }
  })
