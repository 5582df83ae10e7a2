import type { Balance } from '../../../src/limits/hold.ts'
import { createLender, type Lender } from '../../../src/limits/lender.ts'
import type { Limit } from '../../../src/limits/limit.ts'
import type { Recall } from '../../../src/limits/slice.ts'
import { type Ask, type Channel, openChannel, sendDown, type Up } from './channel.ts'
import { checkRefusal } from './rules.ts'
import {
  admittedCall,
  askedBy,
  callOf,
  type End,
  leaseMs,
  type SimulatedCall,
  usedBy,
  type World,
  type Written,
} from './world.ts'

export type Keeper = ReturnType<typeof createKeeper>

/** A call that waits until workers have given back what was recalled. */
type Recalling = { readonly ask: Ask; readonly channel: Channel | null; readonly from: Set<Channel> }

const triesMax = 3

/** The process that keeps the true counters and the ledger, and admits calls of its own. */
export const createKeeper = (world: World) => {
  const { random, ledger } = world
  const channels = new Set<Channel>()
  const recalls = new Map<number, Recalling>()
  let lender: Lender = createLender(world.limits, [])
  let recalled = 0

  const later = (toLedger: boolean, run: () => void): void => {
    world.tasks.push({ toLedger, run })
  }

  const endedOf = ({ at, holds }: SimulatedCall) => ({ holds, reservedAt: at, at: world.now })

  const count = (call: SimulatedCall, end: End, outcome: Written): void => {
    const actual = { cost: call.truth, used: usedBy(call) }
    const { admission } = lender
    if (outcome === 'done' && end === 'settle') admission.settle(endedOf(call), actual)
    if (outcome === 'done' && end === 'release') admission.release(endedOf(call))
    if (outcome === 'late' && end === 'settle') admission.adjust(endedOf(call), actual)
    if (outcome === 'late' && end === 'release') admission.forgive(endedOf(call))
  }

  const finish = (call: SimulatedCall, end: End): void => {
    later(true, () => {
      const outcome = ledger[end](call.id)
      later(false, () => count(call, end, outcome))
    })
  }

  const reserve = (call: SimulatedCall, done: () => void): void => {
    later(true, () => {
      if (random.below(10) === 0) lender.admission.release(endedOf(call))
      else if (ledger.reserve(call, world.now + leaseMs) === 'done') done()
    })
  }

  const recall = (ask: Ask, channel: Channel | null, wanted: readonly Recall[]): void => {
    recalled += 1
    const from = new Set<Channel>()
    for (const { worker, counters } of wanted) {
      for (const other of channels) {
        if (other.worker !== worker) continue
        from.add(other)
        sendDown(other, { kind: 'recall', counters, recalled })
      }
    }
    recalls.set(recalled, { ask: { ...ask, tries: ask.tries + 1 }, channel, from })
  }

  const givenBack = (channel: Channel, which: number | null): void => {
    for (const [id, recalling] of recalls) {
      if (which !== null && id !== which) continue
      if (!recalling.from.delete(channel) || recalling.from.size > 0) continue
      recalls.delete(id)
      attempt(recalling.ask, recalling.channel)
    }
  }

  const attempt = (ask: Ask, channel: Channel | null): void => {
    if (channel === null) own(ask)
    else if (channels.has(channel)) lend(ask, channel)
  }

  const lend = (ask: Ask, channel: Channel): void => {
    const asked = askedBy(ask.draft, world.now)
    const answer = lender.lend(channel.worker, asked, channels.size)
    if (answer.lent) sendDown(channel, { ...ask, kind: 'lent', lent: answer })
    else if (answer.recall.length === 0) checkRefusal(lender, asked)
    else if (ask.tries < triesMax) recall(ask, channel, answer.recall)
  }

  const own = (ask: Ask): void => {
    const asked = askedBy(ask.draft, world.now)
    const decision = lender.admission.admit(asked)
    if (decision.admitted) {
      const call = admittedCall(world, asked, decision.holds, world.limits)
      reserve(call, () => later(false, () => finish(call, random.below(5) === 0 ? 'release' : 'settle')))
      return
    }
    const wanted = lender.recall(asked)
    if (wanted.length === 0) checkRefusal(lender, asked)
    else if (ask.tries < triesMax) recall(ask, null, wanted)
  }

  const receive = (channel: Channel, message: Up): void => {
    const { worker } = channel
    if (message.kind === 'ask') lend(message, channel)
    else if (message.kind === 'reserve') {
      const { call, epoch } = message
      lender.used(worker, call.holds, call.at, epoch)
      reserve(call, () => sendDown(channel, { kind: 'reserved', call }))
    } else if (message.kind === 'end') finish(message.call, message.end)
    else if (message.kind === 'back') {
      lender.giveBack(worker, message.left, message.epoch)
      if (message.recalled !== null) givenBack(channel, message.recalled)
    } else {
      lender.gone(worker)
      channels.delete(channel)
      givenBack(channel, null)
    }
  }

  return {
    lender: () => lender,
    channels,
    connect: (worker: string) => {
      const channel = openChannel(worker)
      channels.add(channel)
      return { channel, limits: world.limits, epoch: lender.epoch() }
    },
    arrive: () => own({ draft: callOf(world), tries: 0 }),
    receive: (channel: Channel): boolean => {
      const message = channel.up.shift()
      if (message !== undefined) receive(channel, message)
      return message !== undefined
    },
    expire: (): void => {
      for (const call of ledger.expire(world.now)) {
        later(false, () => void lender.admission.expire(endedOf(call)))
      }
    },
    /** Puts other limits in place, when everything that the ledger has written is counted. */
    replace: (limits: readonly Limit[], balances: () => readonly Balance[]): void => {
      for (const task of world.tasks.filter(({ toLedger }) => !toLedger)) task.run()
      world.tasks = world.tasks.filter(({ toLedger }) => toLedger)
      lender.admission.replace(limits, balances())
      world.limits = limits
      for (const channel of channels) {
        sendDown(channel, { kind: 'limits', limits, epoch: lender.epoch() })
      }
    },
    /** The process dies: what had left it may have been done, and nothing else is. It begins again from the ledger. */
    crash: (): void => {
      const lost = world.tasks
      world.tasks = []
      for (const task of lost) if (task.toLedger && random.below(2) === 0) task.run()
      world.tasks = []
      for (const channel of channels) channel.isDead = true
      channels.clear()
      recalls.clear()
      lender = createLender(world.limits, ledger.balances())
    },
  }
}
