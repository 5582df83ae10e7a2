import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Day, dayMs, type KeptSeal } from '../seal.ts'
import { madeOf, type SealedSums } from '../sealed-sums.ts'
import { pathOf } from './day-file.ts'
import { type Dimension, type GroupsAsked, isTag } from './grouping.ts'
import { sealsWithin } from './sum-days.ts'

/** Which files answer for the sealed days of a question: sums, where some know all that is asked, else the days. */
export type GroupSources = {
  readonly sums: readonly string[]
  readonly days: readonly string[]
  /** Days of which the calls in the table `changed` are left out. */
  readonly changed: readonly string[]
  /** How many rows they have at most, about. */
  readonly rows: number
}

/** Chooses them: sums of ten days before those of a day, and of several the smallest. Throws `ledger_unavailable` where
 * the file of a day that is needed is not there. */
export const sourcesOf = (
  asked: GroupsAsked,
  given: {
    readonly folder: string
    readonly sealed: readonly KeptSeal[]
    readonly sums: readonly SealedSums[]
    readonly changedDays: ReadonlySet<Day>
    /** Also what each meter came to. */
    readonly hasMeters: boolean
  },
): GroupSources => {
  const { folder, sealed, sums, changedDays, hasMeters } = given
  const knows = knowledgeOf(asked, hasMeters)
  const usable = sums
    .filter((each) => knows(each) && isWithin(each, asked))
    .sort((a, b) => b.days - a.days || a.rows - b.rows)
  const answered = new Set<Day>()
  const chosen: string[] = []
  let rows = 0
  for (const each of usable) {
    const { file, madeOf: of } = each
    const days = sealsWithin(sealed, each)
    const isFree = days.every(({ day }) => !answered.has(day) && !changedDays.has(day))
    if (!isFree || file === null || madeOf(days) !== of || !existsSync(join(folder, file))) continue
    for (const { day } of days) answered.add(day)
    chosen.push(join(folder, file))
    rows += each.rows
  }
  const rest = sealed.filter(({ day }) => !answered.has(day))
  const paths = (isChanged: boolean): readonly string[] =>
    rest.filter(({ day }) => changedDays.has(day) === isChanged).map((seal) => pathOf(folder, seal))
  for (const { calls } of rest) rows += calls
  return { sums: chosen, days: paths(false), changed: paths(true), rows }
}

const isWithin = ({ day, days }: SealedSums, { from, to }: GroupsAsked): boolean =>
  from <= day * dayMs && (day + days) * dayMs <= to

/** Whether sums know all that is asked. */
const knowledgeOf = ({ by, only = [] }: GroupsAsked, hasMeters: boolean): ((sums: SealedSums) => boolean) => {
  const dimensions = new Set([...by, ...only.map(({ dimension }) => dimension)])
  const tags = [...dimensions].filter(isTag).map((tag) => tag.slice('tag:'.length))
  const plain = [...dimensions].filter((dimension) => !isTag(dimension) && !always.includes(dimension))
  const parts: readonly string[] = [
    ...plain.filter((part) => part !== 'day'),
    ...(tags.length > 0 ? ['tags'] : []),
  ]
  const isByDay = dimensions.has('day')
  return (sums) =>
    (!isByDay || sums.days === 1) &&
    (!hasMeters || sums.hasMeters) &&
    [...parts].every((part) => sums.parts.some((each) => each === part)) &&
    tags.every((tag) => !sums.without.includes(tag))
}

const always: readonly Dimension[] = ['currency', 'basis', 'meter']
