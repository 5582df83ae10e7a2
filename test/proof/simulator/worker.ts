import type { CounterName } from '../../../src/limits/hold.ts'
import type { Limit } from '../../../src/limits/limit.ts'
import { createSlices } from '../../../src/limits/slices.ts'
import { type Ask, type Channel, type Down, sendUp } from './channel.ts'
import { admittedCall, askedBy, callOf, type SimulatedCall, type World } from './world.ts'

export type Worker = ReturnType<typeof createWorker>

const triesMax = 3
const lags = [0, 700, 20_000] as const

/** A process that admits calls from its slices. It sends nothing to a vendor before the keeper has reserved it. */
export const createWorker = (
  world: World,
  name: string,
  connect: (worker: string) => { channel: Channel; limits: readonly Limit[]; epoch: number },
) => {
  const { random } = world
  let { channel, limits, epoch } = connect(name)
  const slices = createSlices(limits, epoch)
  const lagMs = world.isLagging ? (lags[random.below(lags.length)] ?? 0) : 0
  const waiting: SimulatedCall[] = []
  const flying: SimulatedCall[] = []

  /** The keeper has died: what it lent is worth nothing any more, and what it did not confirm is not sent. */
  const reconnect = (): void => {
    ;({ channel, limits, epoch } = connect(name))
    slices.replace(limits, epoch)
    for (const call of waiting.splice(0)) {
      if (random.below(2) === 0) sendUp(channel, { kind: 'end', call, end: 'release' })
    }
  }

  const attempt = ({ draft, tries }: Ask): void => {
    const asked = askedBy(draft, world.now - lagMs)
    const taken = slices.take(asked)
    if (taken.admitted) {
      const call = admittedCall(world, asked, taken.holds, limits)
      waiting.push(call)
      sendUp(channel, { kind: 'reserve', call, epoch: slices.epoch() })
    } else if (tries < triesMax) sendUp(channel, { kind: 'ask', draft, tries })
  }

  const giveBack = (counters: readonly CounterName[], recalled: number | null): void => {
    const left = slices.giveBack(counters)
    sendUp(channel, { kind: 'back', epoch: slices.epoch(), left, recalled })
  }

  const receive = (message: Down): void => {
    if (message.kind === 'lent') {
      slices.add(message.lent)
      attempt({ draft: message.draft, tries: message.tries + 1 })
    } else if (message.kind === 'reserved') {
      const index = waiting.indexOf(message.call)
      if (index >= 0) flying.push(...waiting.splice(index, 1))
    } else if (message.kind === 'recall') giveBack(message.counters, message.recalled)
    else {
      const before = slices.epoch()
      limits = message.limits
      const left = slices.replace(limits, message.epoch)
      sendUp(channel, { kind: 'back', epoch: before, left, recalled: null })
    }
  }

  return {
    slices,
    channel: () => channel,
    arrive: () => attempt({ draft: callOf(world), tries: 0 }),
    receive: (): boolean => {
      if (channel.isDead) {
        reconnect()
        return true
      }
      const message = channel.down.shift()
      if (message !== undefined) receive(message)
      return message !== undefined
    },
    /** The vendor answers, or cannot be reached; now and then the keeper is told so twice. */
    end: (): boolean => {
      const call = flying[random.below(flying.length)]
      if (call === undefined || channel.isDead) return false
      if (random.below(5) > 0) flying.splice(flying.indexOf(call), 1)
      sendUp(channel, { kind: 'end', call, end: random.below(5) === 0 ? 'release' : 'settle' })
      return true
    },
    giveBackIdle: (): void => {
      const idle = slices.idle(world.now - lagMs)
      if (idle.length > 0) giveBack(idle, null)
    },
    /** What it has sent may arrive, as far as it comes; what it had is lost. */
    die: (): void => {
      channel.down.length = 0
      channel.up.length = random.below(channel.up.length + 1)
      sendUp(channel, { kind: 'gone' })
    },
  }
}
