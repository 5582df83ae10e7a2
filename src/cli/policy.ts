import { z } from 'zod'
import { OctroiError } from '../errors.ts'
import { configSchema } from '../gateway/config.ts'
import { keyRequest, readNewKey } from '../gateway/key-requests.ts'
import { rulesRequest } from '../gateway/rules.ts'
import { formatInstant } from '../time.ts'
import type { ShownKey } from './keys.ts'

/** A policy as it is written: the whole of what it names, and nothing of what it leaves out. */
export const policySchema = rulesRequest.extend({
  keys: z
    .array(keyRequest.extend({ name: z.string().min(1).max(128) }))
    .max(10_000)
    .optional()
    .describe('All keys that are to be open, each with a name of its own.'),
})

type Policy = z.infer<typeof policySchema>

/** The parts of a policy that stand in the configuration of a gateway. */
export const configParts = ['limits', 'historyCaps', 'unmetered'] as const

/** What a field was and is to be; null where it is not there. */
type FieldChange = { readonly field: string; readonly from: unknown; readonly to: unknown }

/** One difference, or the lack of one. `fields`: what of it changes, and in `values` from what to what. */
export type PolicyChange = {
  readonly what: 'key' | 'limit' | 'historyCaps' | 'unmetered'
  readonly name: string
  readonly change: 'created' | 'changed' | 'revoked' | 'removed' | 'unchanged'
  readonly fields: readonly string[]
  readonly values: readonly FieldChange[]
}

/** What is to be done to a key. `body` is as the control plane takes it. */
export type KeyStep =
  | { readonly do: 'create'; readonly name: string; readonly body: object }
  | { readonly do: 'update'; readonly id: string; readonly body: object }
  | { readonly do: 'revoke'; readonly id: string }

/** Reads a policy. Throws `bad_input` naming the field, also where two keys have one name. */
export const readPolicyFile = (json: unknown): Policy => {
  const parsed = policySchema.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new OctroiError('bad_input', `Policy: ${issue?.path.join('.') || 'the file'}: ${issue?.message}.`)
  }
  const names = (parsed.data.keys ?? []).map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw twoKeys(twice, 'in the policy. Give each its own.')
  return parsed.data
}

/** What makes the open keys those of a policy, which are told apart by their names; a key that is not in it is revoked.
 * Throws `bad_input` where two open keys have the name of one. */
export const planKeys = (
  wanted: NonNullable<Policy['keys']>,
  existing: readonly ShownKey[],
): { readonly changes: readonly PolicyChange[]; readonly steps: readonly KeyStep[] } => {
  const open = existing.filter(({ revokedAt }) => revokedAt === null)
  const changes: PolicyChange[] = []
  const steps: KeyStep[] = []
  for (const { name, ...rest } of wanted) {
    const [found, second] = open.filter((key) => key.name === name)
    if (second !== undefined) throw twoKeys(name, 'that are open. Revoke one of them.')
    const body = wholeKey({ name, ...rest })
    if (found === undefined) {
      changes.push(changeOf('key', name, 'created'))
      steps.push({ do: 'create', name, body })
      continue
    }
    const values = valuesOf(Object.keys(body), { from: { ...found }, to: body })
    changes.push(changeOf('key', name, values.length === 0 ? 'unchanged' : 'changed', values))
    if (values.length > 0) steps.push({ do: 'update', id: found.id, body })
  }
  const names = new Set(wanted.map(({ name }) => name))
  for (const { id, name } of open) {
    if (name !== null && names.has(name)) continue
    changes.push(changeOf('key', name ?? id, 'revoked'))
    steps.push({ do: 'revoke', id })
  }
  return { changes, steps }
}

/** How a configuration differs from a policy, the configuration that does not, and the rules that the policy names. */
export const planConfig = (
  policy: Policy,
  config: Readonly<Record<string, unknown>>,
): {
  readonly changes: readonly PolicyChange[]
  readonly config: Readonly<Record<string, unknown>>
  readonly rules: Pick<Policy, (typeof configParts)[number]>
} => {
  const named = configParts.filter((part) => policy[part] !== undefined)
  const rules = Object.fromEntries(named.map((part) => [part, policy[part]]))
  const changes = named.flatMap((part): readonly PolicyChange[] => {
    if (part === 'limits') return planLimits(policy.limits ?? [], config['limits'])
    const from = { [part]: readPart(part, config[part]) }
    const values = valuesOf([part], { from, to: { [part]: policy[part] } })
    return [changeOf(part, part, values.length === 0 ? 'unchanged' : 'changed', values)]
  })
  return { changes, config: { ...config, ...rules }, rules }
}

const planLimits = (wanted: readonly unknown[], existing: unknown): readonly PolicyChange[] => {
  const before = byName(Array.isArray(existing) ? existing : [])
  const after = byName(wanted)
  const removed = [...before.keys()].filter((name) => !after.has(name))
  return [
    ...[...after].map(([name, limit]): PolicyChange => {
      const found = before.get(name)
      if (found === undefined) return changeOf('limit', name, 'created')
      const fields = [...new Set([...Object.keys(found), ...Object.keys(limit)])]
      const values = valuesOf(fields, { from: found, to: limit })
      return changeOf('limit', name, values.length === 0 ? 'unchanged' : 'changed', values)
    }),
    ...removed.map((name) => changeOf('limit', name, 'removed')),
  ]
}

const changeOf = (
  what: PolicyChange['what'],
  name: string,
  change: PolicyChange['change'],
  values: readonly FieldChange[] = [],
): PolicyChange => {
  const isPart = what === 'historyCaps' || what === 'unmetered'
  return { what, name, change, fields: isPart ? [] : values.map(({ field }) => field), values }
}

type Fields = Readonly<Record<string, unknown>>

/** What differs of some fields. */
const valuesOf = (
  fields: readonly string[],
  { from, to }: { readonly from: Fields; readonly to: Fields },
): readonly FieldChange[] =>
  fields
    .filter((field) => canonical(from[field]) !== canonical(to[field]))
    .map((field) => ({ field, from: from[field] ?? null, to: to[field] ?? null }))

const byName = (limits: readonly unknown[]): ReadonlyMap<string, Readonly<Record<string, unknown>>> =>
  new Map(limits.map((limit) => [String(Object(limit).name), Object(limit)]))

/** A part of a configuration as its schema completes it; as it stands where it cannot be read. */
const readPart = (part: 'historyCaps' | 'unmetered', value: unknown): unknown => {
  const parsed = configSchema.shape[part].safeParse(value)
  return parsed.success ? parsed.data : value
}

/** Everything of a key, so that what a policy leaves out is taken away. */
const wholeKey = (entry: object): Readonly<Record<string, unknown>> => {
  const { expiresAt = null, ...said } = readNewKey(entry)
  return {
    ...{ models: null, endpoints: null, tags: {}, allowUnmetered: false, onLedgerFailure: 'refuse' },
    ...said,
    expiresAt: expiresAt === null ? null : formatInstant(expiresAt),
  }
}

/** The same text for what is the same, whatever the order of its names. */
const canonical = (value: unknown): string =>
  JSON.stringify(value ?? null, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )

const twoKeys = (name: string, remedy: string): OctroiError =>
  new OctroiError('bad_input', `There are two keys named "${name.slice(0, 80)}" ${remedy}`)
