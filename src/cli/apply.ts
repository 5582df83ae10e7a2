import { stat } from 'node:fs/promises'
import { OctroiError } from '../errors.ts'
import { readConfig } from '../gateway/config.ts'
import { ledgerFile } from '../gateway/data-folder.ts'
import { findRunningRules, lowered, ofNothing, readStanding } from './apply-rules.ts'
import type { Io } from './command.ts'
import { readConfigFile, type StagedConfig, stageConfig } from './config-file.ts'
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
 * checked, and said, before anything is written; a secret is told as soon as it is made. */
export const applyPolicy = async (file: string, options: Options, io: Io): Promise<number> => {
  const policy = readPolicyFile(await readJson(file))
  const [path, folder] = [pathOf(options), String(options['data'])]
  const part = configParts.find((each) => policy[each] !== undefined)
  if (part !== undefined && path === null) {
    throw new OctroiError(
      'bad_input',
      `The policy has "${part}", which stand in the configuration of the gateway. Name it with --config.`,
    )
  }
  const before = path === null || part === undefined ? null : await readConfigFile(path)
  const rules = before === null ? null : planConfig(policy, before)
  const next = rules === null ? null : readConfig(rules.config, io.environment)
  const isChanged = rules?.changes.some(isChange) === true
  const running = rules === null ? null : await findRunningRules(folder)
  const isPlan = options['plan'] === true
  const isJson = options['json'] === true
  const created: Created[] = []
  const warnings: string[] = []

  const act = async (keys: KeyStore | null): Promise<readonly PolicyChange[]> => {
    const existing = (await keys?.list()) ?? []
    const plan = policy.keys === undefined ? null : planKeys(policy.keys, existing)
    const changes = [...(plan?.changes ?? []), ...(rules?.changes ?? [])]
    if (rules !== null && next !== null) {
      const standing = (await running?.limits()) ?? (await readStanding(folder, before, io))
      warnings.push(...lowered(rules.changes, policy.limits ?? [], standing))
      warnings.push(...(await ofNothing(folder, next, policy.keys ?? null)))
    }
    if (!isJson) for (const change of changes) if (isChange(change)) io.out(lineOf(change))
    for (const warning of warnings) io.err(`octroi: ${harmless(warning)}\n`)
    if (isPlan) return changes
    const staged =
      path !== null && before !== null && rules !== null && isChanged
        ? await stageConfig(path, { before, after: rules.config })
        : null
    // Also where the file is as it was: the gateway may have been told otherwise since it read it.
    if (rules !== null) await running?.put(rules.rules).catch((error: unknown) => abandon(staged, error))
    await staged?.commit()
    for (const step of plan?.steps ?? []) {
      const made = keys === null ? null : await take(keys, step)
      if (made === null) continue
      created.push(made)
      if (!isJson) io.out(`${harmless(made.name)}: ${made.secret}\n`)
    }
    return changes
  }
  const isEmpty = isPlan && !(await isThere(ledgerFile(folder)))
  const changes = policy.keys === undefined || isEmpty ? await act(null) : await withKeys(folder, act)
  const restart = isChanged && running === null
  if (isJson) {
    io.out(
      `${formatJson({ schema: 'octroi-policy-changes/1', applied: !isPlan, restart, changes, created, warnings })}\n`,
    )
  }
  io.err(
    summaryOf(changes, { isPlan, restart, inForce: isChanged && !restart, created: created.length, path }),
  )
  return 0
}

const pathOf = ({ config }: Options): string | null => (config === undefined ? null : String(config))

/** What a gateway refuses is not written either. */
const abandon = async (staged: StagedConfig | null, error: unknown): Promise<never> => {
  await staged?.discard()
  throw error
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

const isChange = ({ change }: PolicyChange): boolean => change !== 'unchanged'

const marks = { created: '+', changed: '~', revoked: '-', removed: '-', unchanged: ' ' } as const

const lineOf = ({ what, name, change, values }: PolicyChange): string => {
  const said = values.map(({ field, from, to }) => `${field}: ${shown(from)} -> ${shown(to)}`)
  return `${marks[change]} ${what.padEnd(11)}  ${change.padEnd(8)}  ${harmless(name)}${said.length === 0 ? '' : ` (${harmless(said.join(', '))})`}\n`
}

const shownMax = 80

/** A value in a line, not longer than a line takes. */
const shown = (value: unknown): string => {
  const text = value === null ? 'none' : JSON.stringify(value)
  return text.length <= shownMax ? text : `${text.slice(0, shownMax)}...`
}

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
