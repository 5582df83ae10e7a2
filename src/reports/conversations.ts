import type { CallRow } from '../ledger/reading.ts'
import type { Picos } from '../money/money.ts'
import type { Rational } from '../money/rational.ts'
import type { Instant } from '../time.ts'
import { type Meter, meterFacts } from '../usage/meter.ts'
import type { Quantity } from '../usage/usage.ts'
import { shareOf } from './share.ts'

/** What one conversation came to. `conversation` null gathers a team's calls that belong to none. */
export type ConversationSpend = {
  readonly organization: string | null
  readonly team: string | null
  readonly conversation: string | null
  readonly currency: string
  /** As served, in the order in which they first answered. */
  readonly models: readonly string[]
  /** When its first and its last call were made. */
  readonly first: Instant
  readonly last: Instant
  readonly calls: number
  /** Calls whose cost is an estimate, and of which something had no price. */
  readonly estimated: number
  readonly unpriced: number
  readonly inputTokens: bigint
  readonly outputTokens: bigint
  readonly amount: Picos
  /** Input that was history sent again, and its share of the conversation's input and amount. */
  readonly resent: {
    readonly tokens: bigint
    readonly amount: Picos
    readonly shareOfInput: Rational | null
    readonly shareOfAmount: Rational | null
    /** False when a part was apportioned by size instead of counted. */
    readonly exact: boolean
  }
}

/** Gathers calls, a page at a time, into conversations. */
export type ConversationFold = {
  readonly add: (calls: readonly CallRow[]) => void
  /** All conversations so far, the dearest first. */
  readonly conversations: () => readonly ConversationSpend[]
}

export const createConversationFold = (): ConversationFold => {
  const sums = new Map<string, Sums>()
  return {
    add: (calls) => {
      for (const row of calls) {
        const { organization, team, conversation } = row.call
        const key = JSON.stringify([organization, team, conversation, row.settlement.currency])
        const sum = sums.get(key) ?? emptySums(row)
        sums.set(key, sum)
        addCall(sum, row)
      }
    },
    conversations: () => [...sums.values()].map(finished).sort(byAmount),
  }
}

type Sums = {
  readonly call: CallRow['call']
  readonly currency: string
  readonly models: Set<string>
  first: Instant
  last: Instant
  calls: number
  estimated: number
  unpriced: number
  inputTokens: bigint
  outputTokens: bigint
  amount: Picos
  resentTokens: bigint
  resentAmount: Picos
  exact: boolean
}

const emptySums = ({ call, settlement }: CallRow): Sums => ({
  call,
  currency: settlement.currency,
  models: new Set(),
  first: call.at,
  last: call.at,
  calls: 0,
  estimated: 0,
  unpriced: 0,
  inputTokens: 0n,
  outputTokens: 0n,
  amount: 0n,
  resentTokens: 0n,
  resentAmount: 0n,
  exact: true,
})

const addCall = (sums: Sums, { call, settlement }: CallRow): void => {
  const { model, basis, charges, unpriced, resent } = settlement
  sums.models.add(model)
  sums.first = Math.min(sums.first, call.at)
  sums.last = Math.max(sums.last, call.at)
  sums.calls += 1
  sums.estimated += basis === 'estimated' ? 1 : 0
  sums.unpriced += unpriced.length > 0 ? 1 : 0
  for (const used of [...charges, ...unpriced]) {
    sums.inputTokens += tokens(used, 'input')
    sums.outputTokens += tokens(used, 'output')
  }
  for (const { amount } of charges) sums.amount += amount
  if (resent === null) return
  sums.resentTokens += BigInt(resent.tokens)
  sums.resentAmount += resent.amount
  sums.exact &&= resent.exact
}

const tokens = (
  { meter, quantity }: { readonly meter: Meter; readonly quantity: Quantity },
  direction: 'input' | 'output',
): bigint => {
  const facts = meterFacts(meter)
  if (facts.unit !== 'token' || facts.direction !== direction) return 0n
  return typeof quantity === 'number' ? BigInt(quantity) : quantity.numerator / quantity.denominator
}

const finished = (sums: Sums): ConversationSpend => {
  const { call, models, resentTokens, resentAmount, exact, ...rest } = sums
  return {
    organization: call.organization,
    team: call.team,
    conversation: call.conversation,
    models: [...models],
    ...rest,
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
