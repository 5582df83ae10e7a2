import { z } from 'zod'
import { OctroiError } from '../errors.ts'
import type { Imported, ImportOutcome } from '../ledger/imported.ts'
import { post } from '../money/money.ts'
import {
  charge,
  exactText,
  instantNumber,
  meter,
  picosText,
  quantity,
  text,
  whole,
} from './charge-request.ts'
import type { Parts } from './parts.ts'

/** Where imported lines are posted to. */
export const importsPath = '/octroi/v1/imports'

/** How many lines the control plane takes at a time. */
export const importLinesMax = 500

/** Lines as JSON for `readImports`: amounts as whole 10^-12 in text, exact numbers as fractions. */
export const writeImports = (lines: readonly Imported[]): string => JSON.stringify({ lines }, exactText)

/** Reads imported lines. Throws `bad_input` that names what is wrong, also where an amount is not its exact amount
 * rounded. */
export const readImports = (body: unknown): readonly Imported[] => {
  const parsed = importsRequest.safeParse(body)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new OctroiError('bad_input', `${issue?.path.join('.') || 'the body'}: ${issue?.message}.`)
  }
  const lines = parsed.data.lines as readonly Imported[]
  for (const { lineId, charges } of lines) {
    if (charges.every(({ exact, amount }) => post(exact) === amount)) continue
    throw new OctroiError(
      'bad_input',
      `An amount of line "${lineId}" is not what its exact amount rounds to.`,
    )
  }
  return lines
}

/** Writes imported lines to the ledger. They are spend that no limit has let pass: none counts them. */
export const applyImports = (
  { ledger }: Pick<Parts, 'ledger'>,
  lines: readonly Imported[],
): Promise<ImportOutcome> => ledger.imports.post(lines)

const maybe = z.string().max(2_000).nullable()

const line = z.strictObject({
  ...{ lineId: text, at: instantNumber, importer: text, account: text, role: z.enum(['usage', 'bill']) },
  ...{ from: instantNumber, to: instantNumber },
  owner: z.strictObject({
    ...{ key: maybe, organization: maybe, team: maybe, project: maybe, environment: maybe, endUser: maybe },
    tags: z.record(z.string(), z.string()),
  }),
  ...{ provider: text, model: maybe, endpoint: text, tier: maybe },
  currency: z.string().regex(/^[A-Z]{3}$/),
  reported: z.strictObject({
    usage: z.array(z.strictObject({ meter, quantity })).max(100),
    amount: picosText.nullable(),
    requests: whole.nullable(),
    ...{ lineItem: maybe, project: maybe, apiKey: maybe },
  }),
  charges: z.array(charge).max(100),
  unpriced: z
    .array(z.strictObject({ meter, quantity, code: z.enum(['no_price', 'unknown_model']), message: text }))
    .max(100),
  calls: whole,
  bookVersion: text,
})

/** Imported lines as `writeImports` writes them. */
export const importsRequest = z.strictObject({ lines: z.array(line).max(importLinesMax) })
