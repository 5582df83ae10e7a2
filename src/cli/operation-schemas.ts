import { z } from 'zod'

const name = z.string().min(1)
const maybeName = z.string().nullable()
const count = z.int().min(0)
const instant = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?Z$/)
  .describe('An RFC 3339 instant in UTC.')
const patterns = z
  .array(name)
  .nullable()
  .describe('Names, or beginnings of names with a * at their end; null is everything.')

const key = z.object({
  id: name,
  name: maybeName,
  organization: maybeName,
  team: maybeName,
  project: maybeName,
  environment: maybeName,
  models: patterns,
  endpoints: patterns,
  expiresAt: instant.nullable(),
  tags: z.record(z.string(), z.string()),
  createdAt: instant,
  revokedAt: instant.nullable(),
})

const keysList = z.array(key).describe('What `octroi keys list --json` prints: never a secret.')

const keySecret = z
  .object({ secret: name.describe('Shown here and nowhere else.'), key })
  .describe('What `octroi keys create --json` and `octroi keys rotate --json` print.')

const keyChanged = z
  .object({ key })
  .describe('What `octroi keys update --json` and `octroi keys revoke --json` print.')

const ledgerVerify = z
  .object({
    schema: z.literal('octroi-ledger-verify/1'),
    agrees: z.boolean(),
    entries: count,
    calls: count,
    differenceCount: count,
    differences: z.array(z.object({ where: name, key: z.string(), folded: maybeName, kept: maybeName })),
  })
  .describe('What `octroi ledger verify --json` prints.')

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

/** What the commands of those who run a gateway print, by the name of its file in `schemas/`. */
export const operationSchemas = {
  'key-changed-1': keyChanged,
  'key-secret-1': keySecret,
  'keys-list-1': keysList,
  'ledger-copy-1': ledgerCopy,
  'ledger-verify-1': ledgerVerify,
} as const
