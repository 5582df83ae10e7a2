import type { CallLife, CallRow } from '../ledger/reading.ts'
import type { Picos } from '../money/money.ts'
import type { Instant } from '../time.ts'
import { differencesOf, signatureOf } from './reconciliation-causes.ts'
import { type CellGroup, type CellKey, dayMs, dayOf } from './reconciliation-cell.ts'
import type { CellFold } from './reconciliation-cells.ts'

/** A call of which the ledger does not know what it used. `released`: it is taken for not billed, though no answer of
 * the vendor said so. */
export type UnendedCall = {
  readonly id: string
  readonly how: 'open' | 'expired' | 'released'
  readonly most: Picos | null
}

/** What calls of a group say about a difference: the first of those that used exactly as much, and those whose usage
 * is not known. */
export type GroupEvidence = {
  readonly twins: readonly string[]
  readonly twinCount: number
  readonly unended: readonly UnendedCall[]
}

/** Looks for evidence among the calls of the groups whose quantities differ; nothing is kept of the others. */
export type EvidenceFold = {
  /** From when to when calls are to be read; null where nothing differs. */
  readonly wanted: { readonly from: Instant; readonly to: Instant } | null
  readonly addCalls: (rows: readonly CallRow[]) => void
  readonly addLives: (lives: readonly CallLife[]) => void
  readonly of: (group: CellGroup) => GroupEvidence
}

export const createEvidenceFold = (
  groups: readonly CellGroup[],
  fold: CellFold,
  provider: string,
): EvidenceFold => {
  const suspects = new Map(
    groups
      .filter((group) => differencesOf(group).size > 0)
      .map((group) => [
        nameOf(group),
        {
          group,
          signature: signatureOf(differencesOf(group)),
          twins: [] as string[],
          twinCount: 0,
          unended: [] as UnendedCall[],
        },
      ]),
  )
  const days = [...suspects.values()].map(({ group }) => group.day)
  const add = ({ reserved, ends }: CallLife): void => {
    const { call, most } = reserved
    const how = howOf(ends)
    if (call.provider !== provider || how === null) return
    const [day, project] = [dayOf(call.at), fold.projectOf(call.project)]
    for (const { group, unended } of suspects.values()) {
      if (group.day !== day || group.project !== project || group.model === null) continue
      if (isModel(call.model, group.model, fold)) unended.push({ id: call.id, how, most })
    }
  }
  return {
    wanted: days.length === 0 ? null : { from: Math.min(...days), to: Math.max(...days) + dayMs },
    addCalls: (rows) => {
      for (const row of rows) {
        const seen = fold.seen(row)
        const suspect = seen === null ? undefined : suspects.get(nameOf(seen))
        if (seen === null || suspect === undefined || signatureOf(seen.used) !== suspect.signature) continue
        suspect.twinCount += 1
        if (suspect.twins.length < twinsMax) suspect.twins.push(row.call.id)
      }
    },
    addLives: (lives) => lives.forEach(add),
    of: (group) => suspects.get(nameOf(group)) ?? { twins: [], twinCount: 0, unended: [] },
  }
}

const twinsMax = 3

const nameOf = ({ day, project, model }: Pick<CellKey, 'day' | 'project' | 'model'>): string =>
  JSON.stringify([day, project, model])

/** Null where the ledger knows what a call used, or that the vendor refused it. */
const howOf = (ends: CallLife['ends']): UnendedCall['how'] | null => {
  const last = ends.at(-1)
  if (last === undefined) return 'open'
  if (last.kind === 'expired') return 'expired'
  if (last.kind !== 'released') return null
  return last.status === undefined || last.status >= 500 ? 'released' : null
}

/** A call that was never answered has only the name it asked for: the same, one that was served so elsewhere, or the
 * name without its date. */
const isModel = (asked: string, served: string, fold: CellFold): boolean =>
  fold.isServedBy(asked, served) || served.startsWith(`${asked}-`)
