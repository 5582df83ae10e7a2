import { stat } from 'node:fs/promises'
import { type GatewayConfig, readConfig } from '../gateway/config.ts'
import { findControl, ledgerFile } from '../gateway/data-folder.ts'
import { type ListedLimit, listedLimits, type ShownLimit } from '../gateway/limit-states.ts'
import { unmatchedLines, unmatchedOf } from '../gateway/unmatched.ts'
import { openLedger } from '../ledger/ledger.ts'
import { createAdmission } from '../limits/admit.ts'
import { clockFrom } from './clock.ts'
import type { Io } from './command.ts'
import { askControl } from './control.ts'
import { readKeys } from './keys.ts'
import { openBook } from './overlays.ts'
import type { PolicyChange } from './policy.ts'
import { withLedger } from './reports.ts'

/** The gateway that holds a data folder, as far as its rules are concerned. */
export type RunningRules = {
  /** Puts rules in force at once, where those that held when it was found still hold. Throws what the gateway refuses
   * them with. */
  readonly put: (rules: object) => Promise<void>
  /** Where its limits stand. */
  readonly limits: () => Promise<readonly ShownLimit[]>
}

/** Finds it; null where none has announced itself, or what was announced does not answer any more. */
export const findRunningRules = async (folder: string): Promise<RunningRules | null> => {
  const control = await findControl(folder)
  if (control === null) return null
  const isUp = await fetch(`${control.url}/healthz`).then(
    (reply) => reply.ok,
    () => false,
  )
  if (!isUp) return null
  const { version } = await askControl<{ version: string }>(control, '/octroi/v1/policy')
  return {
    put: async (rules) => {
      const basedOn = { 'if-match': `"${version}"` }
      await askControl(control, '/octroi/v1/policy', JSON.stringify(rules), 'PUT', basedOn)
    },
    limits: async () =>
      (await askControl<{ limits: readonly ListedLimit[] }>(control, '/octroi/v1/limits')).limits.filter(
        ({ setBy }) => setBy === 'operator',
      ),
  }
}

/** Where the limits of a configuration stand in the ledger of a folder that no gateway holds; nowhere without a ledger. */
export const readStanding = async (
  folder: string,
  config: unknown,
  { environment }: Pick<Io, 'environment'>,
): Promise<readonly ShownLimit[]> => {
  const ledger = ledgerFile(folder)
  const isThere = await stat(ledger).then(
    () => true,
    () => false,
  )
  if (!isThere) return []
  const { limits } = readConfig(config, environment)
  return withLedger({ ledger }, async (database) => {
    const admission = createAdmission(limits, await openLedger(database).balances())
    return listedLimits(admission.state(clockFrom(undefined).now()), 'operator')
  })
}

/** Says which names in limits and caps on history nothing will have: with the keys that a policy makes, or, where it makes
 * none, those of the folder. */
export const ofNothing = async (
  folder: string,
  config: GatewayConfig,
  wanted: readonly { readonly name: string }[] | null,
): Promise<readonly string[]> => {
  const existing = await readKeys(folder)
  if (existing === null) return []
  const open = existing.filter(({ revokedAt }) => revokedAt === null)
  const keys = wanted?.map((key) => ({
    ...{ organization: null, team: null, project: null, environment: null, revokedAt: null, id: '' },
    ...open.find(({ name }) => name === key.name),
    ...key,
  }))
  const book = await openBook(undefined, folder)
  return unmatchedLines(unmatchedOf(config, { ...config, keys: keys ?? open, book }))
}

/** Says of each limit whose cap changes to less than what counts against it already where it stands. */
export const lowered = (
  changes: readonly PolicyChange[],
  wanted: readonly unknown[],
  standing: readonly ShownLimit[],
): readonly string[] => {
  const caps = new Map(wanted.map((limit) => [String(Object(limit).name), String(Object(limit).cap)]))
  const changed = changes.filter(({ change, fields }) => change === 'changed' && fields.includes('cap'))
  return changed.flatMap(({ name }) => {
    const cap = caps.get(name)
    return standing
      .filter(({ limit }) => limit === name)
      .filter(({ settled, held, unresolved }) => isMore([settled, held, unresolved], cap ?? '0'))
      .map(({ settled, held, unresolved, unit, counter }) => {
        const whose = Object.values(counter).map((value) => value ?? '(none)')
        const of = whose.length === 0 ? '' : ` of ${whose.join(', ')}`
        return `the new cap of "${name}"${of}, ${cap} ${unit}, is below what counts already: ${settled} settled, ${held} held, ${unresolved} unresolved`
      })
  })
}

/** Compares exactly, in the smallest decimals that are written. */
const isMore = (parts: readonly string[], cap: string): boolean => {
  const places = Math.max(...[...parts, cap].map((text) => text.split('.')[1]?.length ?? 0))
  const scaled = (text: string): bigint => {
    const [whole = '0', rest = ''] = text.split('.')
    return BigInt(whole + rest.padEnd(places, '0'))
  }
  return parts.reduce((sum, part) => sum + scaled(part), 0n) > scaled(cap)
}
