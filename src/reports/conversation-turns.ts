import type { Basis, Resent } from '../ledger/entry.ts'
import type { AccruedRow, CallRow } from '../ledger/reading.ts'
import type { Picos } from '../money/money.ts'
import { add, type Rational, zero } from '../money/rational.ts'
import type { Instant } from '../time.ts'
import { type Meter, meterFacts } from '../usage/meter.ts'
import { capSaving } from './cap-note.ts'
import { type ConversationName, conversationKey } from './conversation-asked.ts'
import type { CappedTurn } from './conversation-caps.ts'
import { addUsed, type MeterSum, type MeterSums, meterSums, tokensOf } from './meter-sums.ts'

/** A turn of a conversation, which is one call, or what it accrued without one: a session. */
export type ConversationLine = {
  /** From 1 on; null for what accrued. */
  readonly turn: number | null
  /** Of the call, or of the accrual. */
  readonly id: string
  readonly at: Instant
  /** As served; null for what a provider charges whatever the model. */
  readonly model: string | null
  readonly basis: Basis
  readonly inputTokens: bigint
  /** Null where none was sent again, or nobody knows. */
  readonly resent: Resent | null
  /** What a cap of the gateway left out of its history; null where there was none. */
  readonly leftOut: ReturnType<typeof capSaving>
  readonly outputTokens: bigint
  /** What is no token: sessions, calls of tools, images ... */
  readonly meters: readonly MeterSum[]
  readonly amount: Picos
  /** What the conversation came to with this line. */
  readonly cumulative: Picos
  /** The meters that had no price; the amount leaves them out. */
  readonly unpricedMeters: readonly Meter[]
  readonly note: string | null
}

/** The turns of one conversation, in the order in which they were made. `capped`: the calls as caps see them. */
export type ConversationTurns = {
  readonly lines: readonly ConversationLine[]
  readonly capped: readonly CappedTurn[]
  /** True where some input was read from a cache or written to one. */
  readonly cached: boolean
}

/** Gathers the turns of conversations, a page at a time. All of them are kept: ask for few. */
export type TurnFold = {
  readonly add: (calls: readonly CallRow[]) => void
  readonly addAccrued: (entries: readonly AccruedRow[]) => void
  /** The turns of the conversation of a key, as `conversationKey` gives it. */
  readonly turnsOf: (key: string) => ConversationTurns | null
}

/** An empty fold for the conversations that are wanted. */
export const createTurnFold = (isWanted: (name: ConversationName) => boolean): TurnFold => {
  const gathered = new Map<string, Part[]>()
  const put = (name: ConversationName, part: () => Part): void => {
    if (!isWanted(name)) return
    const key = conversationKey(name)
    const parts = gathered.get(key) ?? []
    parts.push(part())
    gathered.set(key, parts)
  }
  return {
    add: (calls) => {
      for (const row of calls) {
        put({ ...row.call, currency: row.settlement.currency }, () => partOfCall(row))
      }
    },
    addAccrued: (entries) => {
      for (const entry of entries) {
        const { owner, conversation, currency } = entry
        put({ ...owner, conversation, currency }, () => partOfAccrued(entry))
      }
    },
    turnsOf: (key) => {
      const parts = gathered.get(key)
      return parts === undefined ? null : turnsOf(parts)
    },
  }
}

/** What is kept of a call or an accrual until all are there. */
type Part = Omit<ConversationLine, 'turn' | 'cumulative'> & {
  readonly capped: CappedTurn | null
  readonly cached: boolean
}

/** A call as a part of its conversation. */
const partOfCall = ({ call, settlement }: CallRow): Part => {
  const { model, basis, charges, unpriced, resent, note } = settlement
  const used = [...charges, ...unpriced]
  const inputTokens = sum(used.map((each) => tokensOf(each, 'input')))
  const answers = used.filter(({ meter }) => meter !== 'output_reasoning_tokens')
  const capped: CappedTurn = {
    input: Number(inputTokens),
    history: Math.min(resent?.tokens ?? 0, Number(inputTokens)),
    answer: Number(sum(answers.map((each) => tokensOf(each, 'output')))),
    inputCost: charges.reduce(
      (cost: Rational, charge) => (tokensOf(charge, 'input') === 0n ? cost : add(cost, charge.exact)),
      zero,
    ),
  }
  return {
    ...{ id: call.id, at: call.at, model, basis, inputTokens, resent, note, capped },
    leftOut: capSaving(note, charges),
    outputTokens: sum(used.map((each) => tokensOf(each, 'output'))),
    cached: used.some(({ meter }) => meterFacts(meter).cache !== 'none'),
    ...otherOf(settlement),
  }
}

/** What accrued as a part of its conversation. */
const partOfAccrued = (entry: AccruedRow): Part => {
  const { accrualId, from, model, basis } = entry
  return {
    ...{ id: accrualId, at: from, model, basis, inputTokens: 0n, resent: null, outputTokens: 0n },
    ...{ note: null, leftOut: null, capped: null, cached: false },
    ...otherOf(entry),
  }
}

const turnsOf = (parts: readonly Part[]): ConversationTurns => {
  const ordered = parts.toSorted((a, b) => a.at - b.at)
  let [turn, cumulative] = [0, 0n]
  const lines = ordered.map(({ capped, cached: _, ...part }): ConversationLine => {
    if (capped !== null) turn += 1
    cumulative += part.amount
    return { ...part, turn: capped === null ? null : turn, cumulative }
  })
  return {
    lines,
    capped: ordered.flatMap(({ capped }) => (capped === null ? [] : [capped])),
    cached: parts.some(({ cached }) => cached),
  }
}

const otherOf = ({ charges, unpriced }: Pick<AccruedRow, 'charges' | 'unpriced'>) => {
  const meters: MeterSums = new Map()
  addUsed(meters, { charges, unpriced })
  return {
    meters: meterSums(meters),
    amount: sum(charges.map(({ amount }) => amount)),
    unpricedMeters: unpriced.map(({ meter }) => meter),
  }
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n)
