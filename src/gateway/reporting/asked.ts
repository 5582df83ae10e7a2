import { z } from 'zod'
import { OctroiError } from '../../errors.ts'
import { type Instant, parseInstant } from '../../time.ts'

/** What is asked of a report, as text by name: the parameters of a query, or the options of a command. */
export type AskedTexts = Readonly<Record<string, string>>

/** Reads what is asked of a report. `named` says how a parameter is written where it was asked: `--by` on the command
 * line. Throws `bad_input`, which names the parameter. */
export const readAsked = <Asked extends z.ZodType>(
  asked: Asked,
  texts: AskedTexts,
  named: (parameter: string) => string = (parameter) => parameter,
): z.output<Asked> => {
  const read = asked.safeParse(texts)
  if (read.success) return read.data
  const [issue] = read.error.issues
  if (issue?.code === 'unrecognized_keys') {
    const known = parametersOf(asked).map(({ name }) => named(name))
    throw new OctroiError(
      'bad_input',
      `There is no ${named(issue.keys[0] ?? '')} here. There are: ${known.join(', ')}.`,
    )
  }
  const parameter = named(String(issue?.path[0] ?? ''))
  const message = issue?.message ?? 'cannot be used'
  throw new OctroiError(
    'bad_input',
    issue?.code === 'custom' ? `${parameter} ${message}` : `${parameter}: ${message}.`,
  )
}

/** A parameter as it is described: its name, what it means, and the JSON Schema of its text. */
export type Parameter = { readonly name: string; readonly description: string; readonly schema: object }

/** The parameters that a report knows. */
export const parametersOf = (asked: z.ZodType): readonly Parameter[] => {
  const { properties = {} } = z.toJSONSchema(asked, { io: 'input' })
  return Object.entries(properties).map(([name, schema]) => {
    const { description = '', ...rest } = typeof schema === 'boolean' ? {} : schema
    return { name, description, schema: rest }
  })
}

/** A text that is a day, or an instant at a whole hour, by which sums are kept. */
export const wholeHour = z
  .string()
  .max(40)
  .transform((written, context): Instant => {
    try {
      const at = parseInstant(written)
      if (at % 3_600_000 === 0) return at
      context.addIssue({
        code: 'custom',
        message: `"${written}" is not a whole hour. Reports count whole hours.`,
      })
    } catch (error) {
      if (!(error instanceof OctroiError)) throw error
      context.addIssue({ code: 'custom', message: `cannot be read: ${error.message}` })
    }
    return z.NEVER
  })
