import type { Picos } from '../../money/money.ts'
import type { SpoolFile } from './spool-file.ts'
import { callIdOf, type SpooledVerb } from './spool-lines.ts'

/** Where a call waits: on a disk, so that it outlives the process, or not. */
export type SpoolPlace = 'disk' | 'memory'

/** What waits: how many calls, how many of them in memory only, and their money: the most of those that are open, the
 * cost of those that have ended. */
export type SpoolStanding = { readonly calls: number; readonly inMemory: number; readonly amount: Picos }

/** Verbs in the order in which they came, in memory and, as far as the disk takes them, in the file. */
export type SpoolQueue = {
  readonly add: (...verbs: SpooledVerb[]) => void
  /** Takes up what stands in the file. */
  readonly takeUp: (verbs: readonly SpooledVerb[]) => void
  /** Writes what is not in the file yet, if the disk takes it. After a failure only where `again` asks for it. */
  readonly file: (how?: { readonly again: boolean }) => Promise<void>
  /** The first so many. */
  readonly next: (count: number) => readonly SpooledVerb[]
  /** Forgets the first so many: they are in the ledger. */
  readonly drop: (count: number) => void
  /** The ledger will never take something of what waits: the file is kept. */
  readonly keep: () => void
  /** Removes the file, if nothing waits. */
  readonly clear: () => Promise<void>
  readonly isEmpty: () => boolean
  /** How many calls wait. */
  readonly size: () => number
  readonly has: (callId: string) => 'open' | 'ended' | null
  readonly placeOf: (callId: string) => SpoolPlace | null
  readonly amountOf: (key: string | null) => Picos
  readonly standing: () => SpoolStanding
  /** Lets go of the file. */
  readonly close: () => Promise<void>
}

type Item = { readonly spooled: SpooledVerb; isFiled: boolean }

/** A call of which verbs wait. */
type Waiting = {
  readonly key: string | null
  most: Picos
  amount: Picos
  isEnded: boolean
  readonly items: Set<Item>
}

/** An empty queue. `failed` is told when the file stops taking verbs. */
export const createSpoolQueue = (file: SpoolFile | null, failed: () => void): SpoolQueue => {
  const items: Item[] = []
  let unfiled: Item[] = []
  const calls = new Map<string, Waiting>()
  const amounts = new Map<string | null, Picos>()
  let total = 0n
  let isFailing = false
  let filing: Promise<void> = Promise.resolve()

  const change = (waiting: Waiting, amount: Picos): void => {
    const more = amount - waiting.amount
    waiting.amount = amount
    amounts.set(waiting.key, (amounts.get(waiting.key) ?? 0n) + more)
    total += more
  }

  const take = (spooled: SpooledVerb, isFiled: boolean): void => {
    const item = { spooled, isFiled }
    items.push(item)
    if (!isFiled) unfiled.push(item)
    const id = callIdOf(spooled)
    const key = spooled.verb === 'reserve' ? spooled.entry.call.key : null
    const waiting = calls.get(id) ?? { key, most: 0n, amount: 0n, isEnded: false, items: new Set() }
    calls.set(id, waiting)
    waiting.items.add(item)
    if (spooled.verb === 'reserve') {
      waiting.most = spooled.entry.most ?? 0n
      if (!waiting.isEnded) change(waiting, waiting.most)
      return
    }
    waiting.isEnded = true
    change(waiting, spooled.verb === 'release' ? 0n : costOf(spooled, waiting.most))
  }

  const write = async (again: boolean): Promise<void> => {
    const written = [...unfiled]
    if (file === null || written.length === 0 || (isFailing && !again)) return
    try {
      await file.append(written.map(({ spooled }) => spooled))
      for (const item of written) item.isFiled = true
      unfiled = unfiled.filter(({ isFiled }) => !isFiled)
      isFailing = false
    } catch {
      if (!isFailing) failed()
      isFailing = true
    }
  }

  /** One operation on the file at a time. */
  const alone = (work: () => Promise<void>): Promise<void> => {
    const mine = filing.then(work)
    filing = mine.catch(() => {})
    return mine
  }

  const placeOf = (callId: string): SpoolPlace | null => {
    const waiting = calls.get(callId)
    if (waiting === undefined) return null
    return [...waiting.items].every(({ isFiled }) => isFiled) ? 'disk' : 'memory'
  }

  return {
    add: (...verbs) => {
      for (const spooled of verbs) take(spooled, false)
    },
    takeUp: (verbs) => {
      for (const spooled of verbs) take(spooled, true)
    },
    file: ({ again } = { again: false }) => alone(() => write(again)),
    next: (count) => items.slice(0, count).map(({ spooled }) => spooled),
    drop: (count) => {
      for (const item of items.splice(0, count)) {
        const id = callIdOf(item.spooled)
        const waiting = calls.get(id)
        waiting?.items.delete(item)
        if (waiting === undefined || waiting.items.size > 0) continue
        change(waiting, 0n)
        calls.delete(id)
        if (amounts.get(waiting.key) === 0n) amounts.delete(waiting.key)
      }
    },
    keep: () => file?.keep(),
    clear: () =>
      alone(async () => {
        if (items.length > 0) return
        unfiled = []
        await file?.remove()
        isFailing = false
      }),
    isEmpty: () => items.length === 0,
    size: () => calls.size,
    has: (callId) => {
      const waiting = calls.get(callId)
      if (waiting === undefined) return null
      return waiting.isEnded ? 'ended' : 'open'
    },
    placeOf,
    amountOf: (key) => amounts.get(key) ?? 0n,
    standing: () => ({
      calls: calls.size,
      inMemory: new Set(unfiled.map(({ spooled }) => callIdOf(spooled))).size,
      amount: total,
    }),
    close: () => alone(async () => file?.close()),
  }
}

/** What a call came to; where part of it has no price, no less than it held. */
const costOf = ({ entry }: Extract<SpooledVerb, { verb: 'settle' }>, most: Picos): Picos => {
  const cost = entry.charges.reduce((sum, { amount }) => sum + amount, 0n)
  return entry.unpriced.length > 0 && cost < most ? most : cost
}
