import { z } from 'zod'
import {
  alertsAnswer,
  forgottenAnswer,
  keyAnswer,
  keyChangedAnswer,
  keySecretAnswer,
  limitsAnswer,
  providerKeysAnswer,
  prunedAnswer,
  pseudonymAnswer,
  sealedAnswer,
} from '../gateway/api/answers.ts'
import { amount } from '../gateway/api/terms.ts'
import { alertPayloadSchema } from '../gateway/notify/alert.ts'
import { count, utcInstant as instant, maybeName, name } from './schema-terms.ts'

const keysList = z.array(keyAnswer).describe('What `octroi keys list --json` prints: never a secret.')

const keySecret = keySecretAnswer.describe(
  'What `octroi keys create --json` and `octroi keys rotate --json` print.',
)

const keyChanged = keyChangedAnswer.describe(
  'What `octroi keys update --json` and `octroi keys revoke --json` print.',
)

const ledgerVerify = z
  .object({
    schema: z.literal('octroi-ledger-verify/1'),
    agrees: z.boolean(),
    entries: count,
    calls: count,
    sealedDays: count,
    differenceCount: count,
    differences: z.array(z.object({ where: name, key: z.string(), folded: maybeName, kept: maybeName })),
  })
  .describe('What `octroi ledger verify --json` prints.')

const ledgerSeal = sealedAnswer.describe(
  'What `octroi ledger seal --json` prints; `waiting`: days of which a call is open.',
)

const ledgerPrune = prunedAnswer.describe(
  'What `octroi ledger prune --json` prints: days whose calls, and days whose files went.',
)

const ledgerCopy = z
  .object({
    schema: z.literal('octroi-ledger-copy/1'),
    agrees: z.boolean(),
    entries: count,
    calls: count,
    file: name,
    pepper: name,
  })
  .describe('What `octroi ledger backup --json` and `octroi ledger restore --json` print.')

const endUserFound = pseudonymAnswer.describe('What `octroi end-users find --json` prints.')

const endUserForgotten = forgottenAnswer.describe('What `octroi end-users forget --json` prints.')

const limitsList = limitsAnswer
  .extend({ schema: z.literal('octroi-limits-list/1') })
  .describe('What `octroi limits list --json` prints.')

const limitsTest = z
  .object({
    schema: z.literal('octroi-limits-test/1'),
    ...{ from: instant.nullable(), to: instant.nullable() },
    ...{ calls: count, refused: count, waited: count, lowered: count, warned: count },
    rows: z.array(
      z.object({ limit: name, action: name, team: maybeName, currency: name, calls: count, amount }),
    ),
    rowsLeftOut: count.describe('Calls that are in no row, where there are more than 1,000 rows.'),
    examples: z.array(
      z.object({
        ...{ call: name, at: instant, team: maybeName, key: maybeName, model: name },
        ...{ most: amount.nullable(), currency: name, limit: name, action: name },
        reason: z.enum(['exceeded', 'unbounded', 'currency']),
        ...{ asked: amount.nullable(), free: amount, unit: name },
        outputTokens: count.nullable().describe('What its output would have been lowered to.'),
      }),
    ),
  })
  .describe('What `octroi limits test --json` prints.')

const policyChanges = z
  .object({
    schema: z.literal('octroi-policy-changes/1'),
    applied: z.boolean().describe('False with `--plan`.'),
    restart: z
      .boolean()
      .describe(
        'The configuration differs, and no gateway runs here that could be told: the next one reads it.',
      ),
    changes: z.array(
      z.object({
        what: z.enum(['key', 'limit', 'historyCaps', 'unmetered']),
        name,
        change: z.enum(['created', 'changed', 'revoked', 'removed', 'unchanged']),
        fields: z.array(name).describe('What of it changes.'),
        values: z
          .array(z.object({ field: name, from: z.unknown(), to: z.unknown() }))
          .describe('From what to what; null where it is not there.'),
      }),
    ),
    created: z.array(
      z.object({ name, secret: name.describe('Shown here and nowhere else.'), key: keyAnswer }),
    ),
    warnings: z
      .array(name)
      .describe(
        'Caps that are lowered below what counts against them already, and names that nothing here has.',
      ),
  })
  .describe('What `octroi apply --json` prints.')

const alerts = alertsAnswer
  .extend({ schema: z.literal('octroi-alerts/1') })
  .describe(
    'What `octroi alerts list --json` and `octroi alerts test --json` print; `data` as in alert-1.json.',
  )

const providerKeys = providerKeysAnswer
  .extend({ schema: z.literal('octroi-provider-keys/1') })
  .describe('What `octroi provider-keys list --json` prints.')

/** What the commands of those who run a gateway print, by the name of its file in `schemas/`. */
export const operationSchemas = {
  'end-user-forgotten-1': endUserForgotten,
  'end-user-found-1': endUserFound,
  'key-changed-1': keyChanged,
  'key-secret-1': keySecret,
  'keys-list-1': keysList,
  'ledger-copy-1': ledgerCopy,
  'ledger-prune-1': ledgerPrune,
  'ledger-seal-1': ledgerSeal,
  'ledger-verify-1': ledgerVerify,
  'policy-changes-1': policyChanges,
  'limits-list-1': limitsList,
  'limits-test-1': limitsTest,
  'alerts-1': alerts,
  'provider-keys-1': providerKeys,
  'alert-1': alertPayloadSchema.describe('What a webhook is sent.'),
} as const
