import { findControl } from '../gateway/data-folder.ts'
import type { ShownLimit } from '../gateway/limit-states.ts'
import { askControl } from './control.ts'
import type { PolicyChange } from './policy.ts'

/** The gateway that holds a data folder, as far as its rules are concerned. */
export type RunningRules = {
  /** Puts rules in force at once. Throws what the gateway refuses them with. */
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
  return {
    put: async (rules) => {
      await askControl(control, '/octroi/v1/policy', JSON.stringify(rules), 'PUT')
    },
    limits: async () =>
      (await askControl<{ limits: readonly ShownLimit[] }>(control, '/octroi/v1/limits')).limits,
  }
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
