import { z } from 'zod'
import { OctroiError } from '../errors.ts'
import { formatPicos, parsePicos } from '../money/money.ts'
import { formatInstant, parseInstant } from '../time.ts'
import type { Key, KeyOwner, KeyRights } from './registry/keys.ts'

const name = z.string().min(1).max(128).nullable()
const pattern = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^*]*\*?$/, 'a * may stand only at the end, as in "gpt-*"')
const patterns = z.array(pattern).min(1).max(100).nullable()
const tags = z
  .record(z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/), z.string().min(1).max(128))
  .refine((value) => Object.keys(value).length <= 16, 'at most 16 tags are kept')
  .meta({ maxProperties: 16 })

const owner = { name, organization: name, team: name, project: name, environment: name }
const rights = {
  models: patterns,
  endpoints: patterns,
  expiresAt: z.string().max(40).nullable(),
  tags,
  allowUnmetered: z.boolean(),
  onLedgerFailure: z.union([
    z.literal('refuse'),
    z.strictObject({
      spool: z.string().regex(/^\d{1,6}(\.\d{1,12})?$/, 'write an amount of USD, as "5.00"'),
    }),
  ]),
}
/** Whom a key belongs to and what it may do, as far as it is said. */
export const keyRequest = z.strictObject({ ...owner, ...rights }).partial()

/** How long a secret may go on beside its successor: 90 days. */
const graceSecondsMax = 90 * 86_400
/** What a rotation says. */
export const rotation = z.strictObject({ graceSeconds: z.int().min(0).max(graceSecondsMax) })

/** A vendor's key, to be stored. */
export const providerKey = z.strictObject({ key: z.string().max(10_000) })

/** An end user, as the application names it. */
export const endUser = z.strictObject({ endUser: z.string().min(1).max(10_000) })

/** A key as people and machines see it: never its secret, never its hash. */
export const shownKey = (key: Key) => ({
  ...key,
  expiresAt: key.expiresAt === null ? null : formatInstant(key.expiresAt),
  createdAt: formatInstant(key.createdAt),
  revokedAt: key.revokedAt === null ? null : formatInstant(key.revokedAt),
})

/** Reads whom a new key belongs to and what it may do. Throws `bad_input` naming the field, or `bad_instant`. */
export const readNewKey = (body: unknown): KeyOwner & Partial<KeyRights> => ({
  ...nobody,
  ...readKeyChanges(body),
})

/** Reads what is to change of a key; what is not named stays. Throws as `readNewKey` does. */
export const readKeyChanges = (body: unknown): Partial<KeyOwner & KeyRights> => {
  const { expiresAt, onLedgerFailure, ...rest } = parse(keyRequest, body)
  const named = Object.entries(rest).filter(([, value]) => value !== undefined)
  return {
    ...(Object.fromEntries(named) as Partial<KeyOwner & KeyRights>),
    ...(expiresAt !== undefined && { expiresAt: expiresAt === null ? null : parseInstant(expiresAt) }),
    ...(onLedgerFailure !== undefined && { onLedgerFailure: plain(onLedgerFailure) }),
  }
}

/** Reads how long the old secret goes on, in milliseconds. Throws `bad_input`. */
export const readGrace = (body: unknown): number => parse(rotation, body).graceSeconds * 1_000

/** Reads a vendor's key. Throws `bad_input`, without repeating it. */
export const readProviderKey = (body: unknown): string => parse(providerKey, body).key

/** Reads whose pseudonym is meant. Throws `bad_input`. */
export const readEndUser = (body: unknown): string => parse(endUser, body).endUser

/** One way to write an amount. */
const plain = (said: KeyRights['onLedgerFailure']): KeyRights['onLedgerFailure'] =>
  said === 'refuse' ? said : { spool: formatPicos(parsePicos(said.spool)) }

const nobody: KeyOwner = { name: null, organization: null, team: null, project: null, environment: null }

const parse = <Value>(schema: z.ZodType<Value>, body: unknown): Value => {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new OctroiError('bad_input', `${issue?.path.join('.') || 'the body'}: ${issue?.message}.`)
}
