import { rename, rm, stat, writeFile } from 'node:fs/promises'
import { OctroiError } from '../errors.ts'
import { readConfig } from '../gateway/config.ts'
import { ledgerFile } from '../gateway/data-folder.ts'
import { findRunningRules, lowered } from './apply-rules.ts'
import type { Io } from './command.ts'
import { formatJson } from './json.ts'
import type { KeyStore, ShownKey } from './keys.ts'
import { withKeys } from './keys.ts'
import { readJson } from './limit-states.ts'
import {
  configParts,
  type KeyStep,
  type PolicyChange,
  planConfig,
  planKeys,
  readPolicyFile,
} from './policy.ts'
import { harmless } from './table.ts'

type Options = Readonly<Record<string, unknown>>

type Created = { readonly name: string; readonly secret: string; readonly key: ShownKey }

/** Makes keys, limits and rules those of a policy, or says with `--plan` what that would change. Everything is read and
 * checked before anything is written; a secret is told as soon as it is made. */
export const applyPolicy = async (file: string, options: Options, io: Io): Promise<number> => {
  const policy = readPolicyFile(await readJson(file))
  const path = options['config'] === undefined ? null : String(options['config'])
  const part = configParts.find((each) => policy[each] !== undefined)
  if (part !== undefined && path === null) {
    throw new OctroiError(
      'bad_input',
      `The policy has "${part}", which stand in the configuration of the gateway. Name it with --config.`,
    )
  }
  const rules = path === null || part === undefined ? null : planConfig(policy, await configAt(path))
  if (rules !== null) readConfig(rules.config, io.environment)
  const isChanged = rules?.changes.some(isChange) === true
  const running = rules === null ? null : await findRunningRules(String(options['data']))
  const isPlan = options['plan'] === true
  const isJson = options['json'] === true
  const created: Created[] = []
  const act = async (keys: KeyStore | null): Promise<readonly PolicyChange[]> => {
    const plan = policy.keys === undefined ? null : planKeys(policy.keys, (await keys?.list()) ?? [])
    const changes = [...(plan?.changes ?? []), ...(rules?.changes ?? [])]
    if (!isJson) for (const change of changes) if (change.change !== 'unchanged') io.out(lineOf(change))
    if (isPlan) return changes
    if (path !== null && rules !== null && isChanged) await writeConfig(path, rules.config)
    // Also where the file is as it was: the gateway may have been told otherwise since it read it.
    if (rules !== null) await running?.put(rules.rules)
    for (const step of plan?.steps ?? []) {
      const made = keys === null ? null : await take(keys, step)
      if (made === null) continue
      created.push(made)
      if (!isJson) io.out(`${harmless(made.name)}: ${made.secret}\n`)
    }
    return changes
  }
  const folder = String(options['data'])
  const isEmpty = isPlan && !(await isThere(ledgerFile(folder)))
  const changes = policy.keys === undefined || isEmpty ? await act(null) : await withKeys(folder, act)
  const restart = isChanged && running === null
  const warnings =
    rules === null || running === null
      ? []
      : lowered(rules.changes, policy.limits ?? [], await running.limits())
  if (isJson) {
    io.out(
      `${formatJson({ schema: 'octroi-policy-changes/1', applied: !isPlan, restart, changes, created, warnings })}\n`,
    )
  }
  for (const warning of warnings) io.err(`octroi: ${warning}\n`)
  io.err(
    summaryOf(changes, { isPlan, restart, inForce: isChanged && !restart, created: created.length, path }),
  )
  return 0
}

/** A plan makes no folder. */
const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

/** Does a step; what it made, if anything. */
const take = async (keys: KeyStore, step: KeyStep): Promise<Created | null> => {
  switch (step.do) {
    case 'create':
      return { name: step.name, ...(await keys.create(step.body)) }
    case 'update':
      await keys.update(step.id, step.body)
      return null
    case 'revoke':
      await keys.revoke(step.id)
      return null
  }
}

const configAt = async (path: string): Promise<Readonly<Record<string, unknown>>> => {
  const json = await readJson(path)
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return { ...json }
  throw new OctroiError('bad_input', `The configuration ${path} is no JSON object.`)
}

/** Replaces the configuration as a whole: whoever reads it sees the old one or the new one. */
const writeConfig = async (path: string, config: Readonly<Record<string, unknown>>): Promise<void> => {
  const next = `${path}.next`
  try {
    const { mode } = await stat(path)
    await writeFile(next, `${formatJson(config)}\n`, { mode: mode & 0o777 })
    await rename(next, path)
  } catch (error) {
    await rm(next, { force: true })
    const { code } = error as NodeJS.ErrnoException
    throw new OctroiError('bad_input', `The configuration ${path} cannot be written (${code}).`)
  }
}

const isChange = ({ change }: PolicyChange): boolean => change !== 'unchanged'

const marks = { created: '+', changed: '~', revoked: '-', removed: '-', unchanged: ' ' } as const

const lineOf = ({ what, name, change, fields }: PolicyChange): string =>
  `${marks[change]} ${what.padEnd(11)}  ${change.padEnd(8)}  ${harmless(name)}${fields.length === 0 ? '' : ` (${fields.join(', ')})`}\n`

const summaryOf = (
  changes: readonly PolicyChange[],
  said: {
    readonly isPlan: boolean
    readonly restart: boolean
    readonly inForce: boolean
    readonly created: number
    readonly path: string | null
  },
): string => {
  const changed = changes.filter(isChange).length
  const unchanged = changes.length - changed
  const done = said.isPlan ? 'would change; nothing was written' : 'changed'
  return [
    `octroi: ${changed} ${done}, ${unchanged} unchanged`,
    ...(said.created === 0 ? [] : ['octroi: the secrets are not shown again']),
    ...(said.restart
      ? [
          `octroi: limits and rules ${said.isPlan ? 'would be' : 'are'} in ${said.path}; a gateway reads it when it starts, and none runs here`,
        ]
      : []),
    ...(said.inForce
      ? [
          `octroi: limits and rules ${said.isPlan ? 'would be' : 'are'} in ${said.path}, and in force in the gateway that runs`,
        ]
      : []),
  ]
    .map((line) => `${line}\n`)
    .join('')
}
