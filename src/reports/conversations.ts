import type { AccruedRow, CallRow } from '../ledger/reading.ts'
import type { Picos } from '../money/money.ts'
import type { Rational } from '../money/rational.ts'
import type { Instant } from '../time.ts'
import { capSaving } from './cap-note.ts'
import { type ConversationAsked, conversationKey, holderOf, isAsked } from './conversation-asked.ts'
import { addUsed, type MeterSum, type MeterSums, meterSums, tokensOf } from './meter-sums.ts'
import { promotedOf } from './promotions.ts'
import { shareOf } from './share.ts'

/** What one conversation came to. `conversation` null gathers a team's calls that belong to none. */
export type ConversationSpend = {
  readonly organization: string | null
  readonly team: string | null
  readonly conversation: string | null
  readonly currency: string
  /** As served, in the order in which they first answered. */
  readonly models: readonly string[]
  /** Whose it was, as pseudonyms; and the assistants, by their tag, with whatever else something was kept for. The
   * first 20 of each. */
  readonly endUsers: readonly string[]
  readonly holders: readonly string[]
  /** When its first and its last call were made, or sessions begun. */
  readonly first: Instant
  readonly last: Instant
  readonly calls: number
  /** Calls whose cost is an estimate, and of which something had no price. */
  readonly estimated: number
  readonly unpriced: number
  readonly inputTokens: bigint
  readonly outputTokens: bigint
  /** Of its calls, and of what it accrued. */
  readonly amount: Picos
  /** The same without promotions and discounts. */
  readonly list: Picos
  /** What of it is no token: sessions, stored gigabytes, calls of tools, images ... */
  readonly meters: readonly MeterSum[]
  /** What it came to without a call: how many sessions of tools, what of the amount that is, what it would be without
   * promotions, and how often something had no price. */
  readonly accrued: {
    readonly sessions: number
    readonly amount: Picos
    readonly list: Picos
    readonly unpriced: number
  }
  /** Input that was history sent again, and its share of the conversation's input and amount. */
  readonly resent: {
    readonly tokens: bigint
    readonly amount: Picos
    readonly shareOfInput: Rational | null
    readonly shareOfAmount: Rational | null
    /** False when a part was apportioned by size instead of counted. */
    readonly exact: boolean
  }
  /** What caps of the gateway left out of its history: in how many calls, how many input tokens, and what they would
   * have cost at the price of the input that was sent. */
  readonly leftOut: { readonly calls: number; readonly tokens: bigint; readonly amount: Picos }
}

/** Gathers calls and accruals, a page at a time, into conversations. What is kept for an assistant belongs to none. */
export type ConversationFold = {
  readonly add: (calls: readonly CallRow[]) => void
  readonly addAccrued: (entries: readonly AccruedRow[]) => void
  /** All conversations so far, the dearest first. */
  readonly conversations: () => readonly ConversationSpend[]
}

/** An empty fold; of what is `asked` where not all is wanted. */
export const createConversationFold = (asked: ConversationAsked = {}): ConversationFold => {
  const sums = new Map<string, Sums>()
  const sumsOf = (call: Named, at: Instant, currency: string): Sums => {
    const key = conversationKey({ ...call, currency })
    const sum = sums.get(key) ?? emptySums(call, at, currency)
    sums.set(key, sum)
    return sum
  }
  return {
    add: (calls) => {
      for (const row of calls) {
        const { call, settlement } = row
        if (!isAsked(asked, call)) continue
        addCall(sumsOf(call, call.at, settlement.currency), row)
      }
    },
    addAccrued: (entries) => {
      for (const entry of entries) {
        const { owner, conversation, from, currency } = entry
        const call = { ...owner, conversation }
        if (!isAsked(asked, call, entry.holder)) continue
        addAccrual(sumsOf(call, from, currency), entry)
      }
    },
    conversations: () => [...sums.values()].map(finished).sort(byAmount),
  }
}

/** So many end users, and holders, of one conversation are named. */
const namesMax = 20

type Named = Pick<CallRow['call'], 'organization' | 'team' | 'conversation'>

type Sums = {
  readonly call: Named
  readonly currency: string
  readonly models: Set<string>
  readonly endUsers: Set<string>
  readonly holders: Set<string>
  first: Instant
  last: Instant
  calls: number
  estimated: number
  unpriced: number
  inputTokens: bigint
  outputTokens: bigint
  amount: Picos
  list: Picos
  readonly meters: MeterSums
  readonly accrued: { sessions: number; amount: Picos; list: Picos; unpriced: number }
  resentTokens: bigint
  resentAmount: Picos
  exact: boolean
  readonly leftOut: { calls: number; tokens: bigint; amount: Picos }
}

const emptySums = (call: Named, at: Instant, currency: string): Sums => ({
  call,
  currency,
  models: new Set(),
  endUsers: new Set(),
  holders: new Set(),
  first: at,
  last: at,
  calls: 0,
  estimated: 0,
  unpriced: 0,
  inputTokens: 0n,
  outputTokens: 0n,
  amount: 0n,
  list: 0n,
  meters: new Map(),
  accrued: { sessions: 0, amount: 0n, list: 0n, unpriced: 0 },
  resentTokens: 0n,
  resentAmount: 0n,
  exact: true,
  leftOut: { calls: 0, tokens: 0n, amount: 0n },
})

const addCall = (sums: Sums, { call, settlement }: CallRow): void => {
  const { model, basis, charges, unpriced, resent } = settlement
  sums.models.add(model)
  addName(sums.endUsers, call.endUser)
  addName(sums.holders, holderOf(call))
  sums.first = Math.min(sums.first, call.at)
  sums.last = Math.max(sums.last, call.at)
  sums.calls += 1
  sums.estimated += basis === 'estimated' ? 1 : 0
  sums.unpriced += unpriced.length > 0 ? 1 : 0
  for (const used of [...charges, ...unpriced]) {
    sums.inputTokens += tokensOf(used, 'input')
    sums.outputTokens += tokensOf(used, 'output')
  }
  for (const charge of charges) {
    sums.amount += charge.amount
    sums.list += charge.amount + promotedOf(charge)
  }
  addUsed(sums.meters, settlement)
  const saving = capSaving(settlement.note, charges)
  if (saving !== null) {
    sums.leftOut.calls += 1
    sums.leftOut.tokens += BigInt(saving.tokens)
    sums.leftOut.amount += saving.amount
  }
  if (resent === null) return
  sums.resentTokens += BigInt(resent.tokens)
  sums.resentAmount += resent.amount
  sums.exact &&= resent.exact
}

const addAccrual = (sums: Sums, entry: AccruedRow): void => {
  const { from, object, charges, unpriced, list, owner } = entry
  addName(sums.endUsers, owner.endUser)
  addName(sums.holders, object === null ? holderOf(owner) : entry.holder)
  sums.first = Math.min(sums.first, from)
  sums.last = Math.max(sums.last, from)
  const amount = charges.reduce((sum, charge) => sum + charge.amount, 0n)
  sums.amount += amount
  sums.list += list
  addUsed(sums.meters, entry)
  sums.accrued.amount += amount
  sums.accrued.list += list
  sums.accrued.sessions += object === null ? 1 : 0
  sums.accrued.unpriced += unpriced.length > 0 ? 1 : 0
}

const addName = (names: Set<string>, name: string | null): void => {
  if (name !== null && names.size < namesMax) names.add(name)
}

const finished = (sums: Sums): ConversationSpend => {
  const { call, resentTokens, resentAmount, exact, ...rest } = sums
  return {
    organization: call.organization,
    team: call.team,
    conversation: call.conversation,
    ...rest,
    models: [...sums.models],
    endUsers: [...sums.endUsers],
    holders: [...sums.holders],
    meters: meterSums(sums.meters),
    resent: {
      tokens: resentTokens,
      amount: resentAmount,
      shareOfInput: shareOf(resentTokens, rest.inputTokens),
      shareOfAmount: shareOf(resentAmount, rest.amount),
      exact,
    },
  }
}

const byAmount = (a: ConversationSpend, b: ConversationSpend): number =>
  a.amount === b.amount ? a.first - b.first : a.amount < b.amount ? 1 : -1
