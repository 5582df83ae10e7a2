import type { Database } from '../ledger/database.ts'
import { readAccrued, readCalls } from '../ledger/reading.ts'
import { type ConversationAsked, conversationKey } from '../reports/conversation-asked.ts'
import { addSavings, type CapSaving, capSavings, type HistoryCap } from '../reports/conversation-caps.ts'
import { type ConversationTurns, createTurnFold } from '../reports/conversation-turns.ts'
import { type ConversationSpend, createConversationFold } from '../reports/conversations.ts'
import { boundsOf, type ReportPeriod } from './reports.ts'

/** A conversation of a report: what it came to, and where it has a name its turns, and what caps would have saved. */
export type ReadConversation = {
  readonly spend: ConversationSpend
  readonly turns: ConversationTurns | null
  readonly caps: readonly CapSaving[]
}

/** What a report of conversations tells: the dearest of all that there are, and what caps would have saved of those
 * together, in each currency. */
export type ReadConversations = {
  readonly all: readonly ConversationSpend[]
  readonly listed: readonly ReadConversation[]
  readonly caps: ReadonlyMap<string, readonly CapSaving[]>
}

/** Reads conversations. The turns of one that is named are read with its sum; where many are listed, a second pass reads
 * the turns of those that are, and no others. Null where the signal aborts. */
export const readConversations = async (
  database: Database,
  asked: ConversationAsked & {
    readonly period: ReportPeriod
    readonly top: number
    readonly caps: readonly HistoryCap[]
  },
  signal: AbortSignal,
): Promise<ReadConversations | null> => {
  const { period, top } = asked
  const isOne = asked.conversation !== undefined
  const listedKeys = new Set<string>()
  const fold = createTurnFold((name) =>
    isOne ? name.conversation === asked.conversation : listedKeys.has(conversationKey(name)),
  )
  const sums = createConversationFold(asked)
  const only = asked.conversation === undefined ? {} : { conversations: [asked.conversation] }
  if (!(await fill(isOne ? [sums, fold] : [sums], { database, period, signal, ...only }))) return null
  const all = sums.conversations()
  const wanted = all.slice(0, top)
  const named = wanted.filter(({ conversation }) => conversation !== null)
  for (const spend of named) listedKeys.add(conversationKey(spend))
  const conversations = named.flatMap(({ conversation }) => conversation ?? [])
  if (!isOne && named.length > 0 && !(await fill([fold], { database, period, signal, conversations }))) {
    return null
  }
  const caps = new Map<string, readonly CapSaving[]>()
  const listed = wanted.map((spend): ReadConversation => {
    const turns = fold.turnsOf(conversationKey(spend))
    const savings = capSavings(turns?.capped ?? [], asked.caps)
    caps.set(spend.currency, addSavings(caps.get(spend.currency), savings))
    return { spend, turns, caps: savings }
  })
  return { all, listed, caps }
}

/** Reads a period into folds: the calls of some conversations, or of all. False where the signal aborts. */
const fill = async (
  folds: readonly Pick<ReturnType<typeof createTurnFold>, 'add' | 'addAccrued'>[],
  from: {
    readonly database: Database
    readonly period: ReportPeriod
    readonly signal: AbortSignal
    readonly conversations?: readonly string[]
  },
): Promise<boolean> => {
  const { database, period, signal, conversations } = from
  const asked = { ...boundsOf(period), ...(conversations !== undefined && { conversations }) }
  for await (const calls of readCalls(database, asked)) {
    if (signal.aborted) return false
    for (const fold of folds) fold.add(calls)
  }
  for await (const entries of readAccrued(database, boundsOf(period))) {
    if (signal.aborted) return false
    for (const fold of folds) fold.addAccrued(entries)
  }
  return !signal.aborted
}
