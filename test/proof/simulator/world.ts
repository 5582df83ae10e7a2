import type { Asked } from '../../../src/limits/decision.ts'
import type { Balance, Hold } from '../../../src/limits/hold.ts'
import { settledOf, unresolvedOf } from '../../../src/limits/hold.ts'
import type { Limit } from '../../../src/limits/limit.ts'
import type { LimitSubject } from '../../../src/limits/pattern.ts'
import { createRandom, type Random } from './random.ts'

/** A rule that does not hold, and where. */
export class Broken extends Error {}

/** A call of the simulation. `truth`: what it uses, which is known when the vendor has answered. */
export type SimulatedCall = {
  readonly id: number
  readonly at: number
  readonly holds: readonly Hold[]
  readonly most: bigint
  readonly truth: bigint
}

export type End = 'settle' | 'release'

type Status = 'reserved' | 'settled' | 'released' | 'expired'

/** What happened to something written to the ledger. */
export type Written = 'done' | 'late' | 'repeated' | 'unknown'

/** What a call used of everything. */
export const usedBy = ({ truth }: SimulatedCall) => ({ tokens: truth, requests: 1n })

/** The rules of the ledger as plain code: every operation is idempotent, a call ends once, what was sent and lost is
 * unresolved until the truth is known. It outlives every crash. */
export const simulatedLedger = () => {
  const calls = new Map<number, { call: SimulatedCall; status: Status; leaseUntil: number }>()
  const open = new Set<number>()
  const balances = new Map<string, { -readonly [Name in keyof Balance]: Balance[Name] }>()

  const balanceOf = (hold: Hold) => {
    const key = `${hold.limit}\n${hold.measure ?? ''}\n${hold.counter ?? ''}\n${hold.windowStart}`
    const known = balances.get(key)
    if (known !== undefined) return known
    const { amount: _, ...name } = hold
    const made = { ...name, settled: 0n, held: 0n, unresolved: 0n }
    balances.set(key, made)
    return made
  }

  const end = (id: number, status: 'settled' | 'released'): Written => {
    const known = calls.get(id)
    if (known === undefined) return 'unknown'
    if (known.status !== 'reserved' && known.status !== 'expired') return 'repeated'
    const late = known.status === 'expired'
    const { truth } = known.call
    for (const hold of known.call.holds) {
      const balance = balanceOf(hold)
      if (status === 'settled') balance.settled += settledOf(hold, truth, usedBy(known.call))
      if (late) balance.unresolved -= unresolvedOf(hold)
      else balance.held -= hold.amount
    }
    known.status = status
    open.delete(id)
    return late ? 'late' : 'done'
  }

  return {
    reserve: (call: SimulatedCall, leaseUntil: number): Written => {
      if (calls.has(call.id)) return 'repeated'
      calls.set(call.id, { call, status: 'reserved', leaseUntil })
      open.add(call.id)
      for (const hold of call.holds) balanceOf(hold).held += hold.amount
      return 'done'
    },
    settle: (id: number): Written => end(id, 'settled'),
    release: (id: number): Written => end(id, 'released'),
    expire: (at: number): readonly SimulatedCall[] => {
      const expired: SimulatedCall[] = []
      for (const id of open) {
        const known = calls.get(id)
        if (known === undefined || known.leaseUntil > at) continue
        known.status = 'expired'
        open.delete(id)
        expired.push(known.call)
        for (const hold of known.call.holds) {
          const balance = balanceOf(hold)
          balance.held -= hold.amount
          balance.unresolved += unresolvedOf(hold)
        }
      }
      return expired
    },
    /** In the order of their windows, as the ledger gives them. */
    balances: (): readonly Balance[] => [...balances.values()].sort((a, b) => a.windowStart - b.windowStart),
    calls: () => [...calls.values()],
  }
}

/** Something under way inside the keeper between two steps. `toLedger`: it has left the process, so that a crash may or
 * may not find it done. */
type Task = { readonly toLedger: boolean; readonly run: () => void }

/** What everything in a simulation shares. */
export type World = {
  readonly random: Random
  readonly ledger: ReturnType<typeof simulatedLedger>
  /** Whether the clocks of workers may lag behind the keeper's: then only calendar windows are exact. */
  readonly isLagging: boolean
  now: number
  limits: readonly Limit[]
  tasks: Task[]
  calls: number
}

export const leaseMs = 60_000
const begin = Date.parse('2024-02-29T22:59:45Z')

export const createWorld = (seed: number, variants: readonly (readonly Limit[])[]): World => {
  const random = createRandom(seed)
  const limits = variants[random.below(variants.length)] ?? []
  const isLagging = random.below(2) === 0
  return { random, ledger: simulatedLedger(), isLagging, now: begin, limits, tasks: [], calls: 0 }
}

/** What a call of a seed is; half of them are small. */
export const callOf = ({ random }: World): { readonly subject: LimitSubject; readonly most: bigint } => ({
  subject: subjects[random.below(subjects.length)] ?? subjectOf('a', 'u'),
  most: BigInt(random.below(2) === 0 ? random.below(101) : random.below(6)),
})

type SimulatedAsked = Asked & { readonly most: bigint }

/** A call as limits see it. */
export const askedBy = ({ subject, most }: ReturnType<typeof callOf>, at: number): SimulatedAsked => ({
  ...{ subject, at, most, currency: 'USD' },
  quote: {
    usage: [{ meters: ['output_text_tokens'], least: 0, most: Number(most) }],
    unpriced: [],
    pricedMost: most,
  },
})

/** A call that was admitted under limits: by all that are about it. */
export const admittedCall = (
  world: World,
  asked: ReturnType<typeof askedBy>,
  holds: readonly Hold[],
  limits: readonly Limit[],
): SimulatedCall => {
  const { random } = world
  const { most, at } = asked
  const { team } = asked.subject
  const about = limits.filter(({ match }) => match['team'] === undefined || match['team'] === team)
  if (holds.length !== about.length) throw new Broken('a call is admitted, and not by all its limits')
  world.calls += 1
  const truth = random.below(2) === 0 ? most : (most * BigInt(random.below(101))) / 100n
  return { id: world.calls, at, holds, most, truth }
}

const subjectOf = (team: string, endUser: string): LimitSubject => ({
  ...{ organization: null, project: null, environment: null, key: null, conversation: null, tags: {} },
  ...{ provider: 'openai', model: 'gpt-4', endpoint: 'chat-completions' },
  ...{ team, endUser },
})

const subjects = ['a', 'b'].flatMap((team) => ['u', 'v'].map((user) => subjectOf(team, user)))
