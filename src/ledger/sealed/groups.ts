import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { OctroiError } from '../../errors.ts'
import type { Database } from '../database.ts'
import type { CallLife, CallRow } from '../reading.ts'
import { readAccrued, readImported } from '../reading.ts'
import { dayOf, openSeals } from '../seal.ts'
import { openSums } from '../sealed-sums.ts'
import { callRowOf } from './call-row.ts'
import { dayLives } from './day-lives.ts'
import { type Duck, isOutOfMemory, withDuck } from './duck.ts'
import { putExtra } from './group-extra.ts'
import { type FactGroup, factsOf, readGroups } from './group-reading.ts'
import { type GroupSources, sourcesOf } from './group-sources.ts'
import { type Grouped, groupRows, nameColumns, summed } from './group-sql.ts'
import {
  addAccrued,
  addCall,
  addImported,
  emptyGroups,
  type Group,
  type Groups,
  type GroupsAsked,
} from './grouping.ts'
import { largestRows, rankGroups } from './largest.ts'
import { withSpill } from './spill.ts'

/** A ledger, the folder of its sealed days, and who is told how far a question is: in percent, as far as is known. */
export type GroupSource = {
  readonly database: Database
  readonly folder: string
  readonly onProgress?: ((percent: number) => void) | undefined
}

/** Groups all that was spent in a period by any dimensions: sealed days by DuckDB from their sums or their files, the rest,
 * and calls that were corrected after their day was sealed, from the entries. Throws `ledger_unavailable` where a file that
 * is needed is not there, and `bad_input` where the groups are more than there is room for. */
export const groupDetail = (source: GroupSource, asked: GroupsAsked): Promise<readonly Group[]> => {
  const grouped = asked.by.includes('meter') ? 'meters' : 'calls'
  const entries = emptyGroups(asked)
  return withQuestion(source, asked, [entries], async (duck, sources) => {
    const rows = groupRows(asked, sources[grouped], { grouped, extra: false })
    if (rows !== '') await readGroups(duck, summed(rows, nameColumns(asked.by), grouped), entries)
    return [...entries.sums.values()]
  })
}

/** What groups came to: their calls, and each of their meters. With `top`, of each currency only those of the largest
 * amounts are told apart, and all others are one. `counts`: how many groups of each currency there were then. */
export type GroupFacts = {
  readonly facts: readonly FactGroup[]
  readonly counts: ReadonlyMap<string, number>
}

/** Groups all that was spent in a period as `groupDetail` does, by any dimensions but `meter`: with `top` however many
 * groups there are, since what passes the memory is spilled into the folder of sealed days. */
export const groupFacts = (
  source: GroupSource,
  asked: GroupsAsked & { readonly top: number | null; readonly kinds?: readonly Grouped[] },
): Promise<GroupFacts> => {
  const { by, top, kinds = ['calls', 'meters'] } = asked
  const entries = { calls: emptyGroups(asked), meters: emptyGroups({ ...asked, by: [...by, 'meter'] }) }
  return withQuestion(
    source,
    asked,
    kinds.map((kind) => entries[kind]),
    async (duck, sources, step) => {
      await putExtra(duck, by, entries)
      const rowsOf = (grouped: Grouped): string =>
        groupRows(asked, sources[grouped], { grouped, extra: true })
      let parts = 0
      const onPart = (done: number, all: number): void => {
        parts = all
        step(done, all + kinds.length)
      }
      const counts =
        top === null
          ? new Map()
          : await rankGroups(duck, {
              by,
              rows: rowsOf('calls'),
              rowsMost: sources.calls.rows + entries.calls.sums.size,
              top,
              onPart,
            })
      const facts: FactGroup[] = []
      for (const [index, grouped] of kinds.entries()) {
        step(parts + index, parts + kinds.length)
        const rows = top === null ? rowsOf(grouped) : largestRows(by, rowsOf(grouped), grouped)
        const columns = [...nameColumns(by), ...(top === null ? [] : ['is_other'])]
        facts.push(
          ...(await factsOf(duck, summed(rows, columns, grouped), { by, grouped, isRanked: top !== null })),
        )
      }
      return { facts, counts }
    },
  )
}

/** Opens what a question is answered from: sealed days, and `entries`, into which comes what those do not have. */
const withQuestion = async <Result>(
  { database, folder, onProgress = () => {} }: GroupSource,
  asked: GroupsAsked,
  entries: readonly Groups[],
  body: (
    duck: Duck,
    sources: Readonly<Record<Grouped, GroupSources>>,
    /** Says how many steps of how many are done. */
    step: (done: number, all: number) => void,
  ) => Promise<Result>,
): Promise<Result> => {
  const { from, to } = asked
  const days = { from: dayOf(from), to: dayOf(to - 1) }
  const seals = openSeals(database)
  const sealed = (await seals.list()).filter(
    (seal) =>
      seal.day >= days.from && seal.day <= days.to && (seal.isPruned || existsSync(join(folder, seal.file))),
  )
  const changed = sealed.length === 0 ? [] : await seals.changed(days)
  const sums = sealed.length === 0 ? [] : await openSums(database).list()
  const isSealed = new Set(sealed.map(({ day }) => day))
  const changedCalls = changed.filter(({ day }) => isSealed.has(day))
  const changedDays = new Set(changedCalls.map(({ day }) => day))
  const sourcesFor = (hasMeters: boolean): GroupSources =>
    sourcesOf(asked, { folder, sealed, sums, changedDays, hasMeters })
  const sources = { calls: sourcesFor(false), meters: sourcesFor(true) }
  const addCalls = (rows: readonly CallRow[]): void => {
    for (const row of rows) for (const each of entries) addCall(each, row)
  }
  for (const { callId } of changedCalls) {
    addCalls([callRowOf(await database.call<CallLife | null>('ledger', 'life', callId)) ?? []].flat())
  }
  for (const day of await seals.callDays()) {
    if (day < days.from || day > days.to || isSealed.has(day)) continue
    for await (const page of dayLives(seals, day)) addCalls(page.flatMap((life) => callRowOf(life) ?? []))
  }
  for await (const page of readAccrued(database, asked)) {
    for (const row of page) for (const each of entries) addAccrued(each, row)
  }
  for await (const page of readImported(database, { from, to })) {
    for (const row of page) for (const each of entries) addImported(each, row)
  }
  return withSpill(folder, (spill) =>
    withDuck({ spill }, async (duck) => {
      await duck.run('SET preserve_insertion_order = false')
      if (changedCalls.length > 0) {
        await duck.run('CREATE TABLE changed (call_id VARCHAR)')
        await duck.append(
          'changed',
          changedCalls.map(({ callId }) => callId),
        )
      }
      let [done, all] = [0, 1]
      const stop = duck.watch((percent) => onProgress((done * 100 + percent) / all))
      try {
        return await body(duck, sources, (...now) => {
          ;[done, all] = now
        })
      } catch (error) {
        if (isOutOfMemory(error)) throw tooMany(asked)
        throw error
      } finally {
        stop()
      }
    }),
  )
}

const tooMany = ({ by }: GroupsAsked): OctroiError =>
  new OctroiError(
    'bad_input',
    `By ${by.join(', ')} there are more groups than there is room for. Group by less, or ask for a shorter period.`,
  )
