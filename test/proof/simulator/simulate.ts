import { createAdmission } from '../../../src/limits/admit.ts'
import type { Hold } from '../../../src/limits/hold.ts'
import { parseLimit } from '../../../src/limits/parse-limit.ts'
import { createRandom, type Random } from './random.ts'
import { type Admission, type SimulatedCall, simulatedLedger, type Written } from './world.ts'

const minuteMs = 60_000
const leaseMs = minuteMs
const monthEnd = Date.parse('2024-02-29T22:58:00Z')

/** Every kind of window, nested; the month ends in Paris two minutes after a simulation begins. */
const written = [
  {
    ...{ name: 'month', measure: 'cost', cap: '0.0000000004' },
    window: { calendar: 'month', timeZone: 'Europe/Paris' },
  },
  {
    name: 'team',
    match: { team: 'a' },
    measure: 'cost',
    cap: '0.00000000025',
    window: { calendar: 'total' },
  },
  { name: 'user', each: ['endUser'], measure: 'tokens', cap: '150', window: { rolling: '10m' } },
  { name: 'rate', measure: 'tokens', cap: '200', window: { bucket: '1m' } },
  { name: 'at once', measure: 'concurrent', cap: '4' },
]
const limits = written.map(parseLimit)

/** Something that is under way between two steps. `toLedger`: it has left the process, so that a crash may or may not
 * find it done. */
type Task = { readonly toLedger: boolean; readonly run: () => void }

/** A rule that does not hold, and where. */
class Broken extends Error {}

/** Runs one simulation: the steps of calls, expiries, crashes and clocks in an order that the seed says. What is under way
 * is delayed, done in any order, and done twice. Throws `Broken` where a rule does not hold after a step. */
export const simulate = (seed: number, steps = 60): void => {
  const random = createRandom(seed)
  const ledger = simulatedLedger()
  let admission = createAdmission(limits, [])
  let tasks: Task[] = []
  let now = monthEnd
  let calls = 0

  const later = (toLedger: boolean, run: () => void): void => {
    tasks.push({ toLedger, run })
  }

  const endedOf = ({ at, holds }: SimulatedCall) => ({ holds, reservedAt: at, at: now })

  const count = (call: SimulatedCall, end: 'settle' | 'release', outcome: Written): void => {
    const actual = { cost: call.truth, used: { tokens: call.truth, requests: 1n } }
    if (outcome === 'done' && end === 'settle') admission.settle(endedOf(call), actual)
    if (outcome === 'done' && end === 'release') admission.release(endedOf(call))
    if (outcome === 'late' && end === 'settle') admission.adjust(endedOf(call), actual)
    if (outcome === 'late' && end === 'release') admission.forgive(endedOf(call))
  }

  const arrive = (): void => {
    const most = BigInt(random.below(101))
    const asked = {
      subject: subjectOf(random),
      at: now,
      most,
      currency: 'USD',
      quote: {
        usage: [{ meters: ['output_text_tokens'], least: 0, most: Number(most) }],
        unpriced: [],
        pricedMost: most,
      },
    } as const
    const before = random.below(4) === 0 ? JSON.stringify(admission.state(now), bigints) : null
    const decision = admission.admit(asked)
    if (!decision.admitted) {
      const after = before === null ? null : JSON.stringify(admission.state(now), bigints)
      if (before !== after) throw new Broken('a refused call left a trace')
      return
    }
    const truth = random.below(3) === 0 ? most : (most * BigInt(random.below(101))) / 100n
    const call = { id: ++calls, at: now, holds: decision.holds, truth }
    later(true, () => reserve(call))
  }

  const reserve = (call: SimulatedCall): void => {
    if (random.below(10) === 0) admission.release(endedOf(call))
    else if (ledger.reserve(call, now + leaseMs) === 'done') {
      const end = random.below(5) === 0 ? 'release' : 'settle'
      later(false, () => later(true, () => finish(call, end)))
    }
  }

  const finish = (call: SimulatedCall, end: 'settle' | 'release'): void => {
    const outcome = ledger[end](call.id)
    later(false, () => count(call, end, outcome))
    if (random.below(5) === 0) later(true, () => finish(call, random.below(2) === 0 ? 'settle' : 'release'))
  }

  const expire = (): void => {
    for (const call of ledger.expire(now)) later(false, () => void admission.expire(endedOf(call)))
  }

  /** The process dies: what had left it may have been done, and nothing else is. */
  const crash = (): void => {
    const lost = tasks
    tasks = []
    for (const task of lost) if (task.toLedger && random.below(2) === 0) task.run()
    tasks = []
    admission = createAdmission(limits, ledger.balances())
  }

  const runOne = (): void => {
    const [task] = tasks.splice(random.below(tasks.length), 1)
    task?.run()
  }

  const step = (): void => {
    const choice = random.below(100)
    if (choice < 35) arrive()
    else if (choice < 80) runOne()
    else if (choice < 90) now += [1, 700, 15_000, 45_000, 5 * minuteMs][random.below(5)] ?? 0
    else if (choice < 96) expire()
    else if (choice < 98) crash()
    else now += 20 * minuteMs
  }

  for (let each = 0; each < steps; each += 1) {
    step()
    checkStates(admission, ledger.balances(), now)
  }
  while (tasks.length > 0) runOne()
  now += 2 * leaseMs
  expire()
  while (tasks.length > 0) runOne()
  checkEnd(admission, ledger, now)
}

const subjectOf = (random: Random) => ({
  ...{ organization: null, project: null, environment: null, key: null, conversation: null, tags: {} },
  ...{ provider: 'openai', model: 'gpt-4', endpoint: 'chat-completions' },
  team: random.below(2) === 0 ? 'a' : 'b',
  endUser: random.below(2) === 0 ? 'u' : 'v',
})

const bigints = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}` : value)

type Balances = ReturnType<ReturnType<typeof simulatedLedger>['balances']>

/** Conservation, no cap passed, and never less counted than the ledger holds. */
const checkStates = (admission: Admission, balances: Balances, now: number): void => {
  for (const state of admission.state(now)) {
    const { limit, cap, settled, held, unresolved, free, over, windowStart } = state
    if (settled + held + unresolved + free !== cap || over !== 0n) throw new Broken(`${limit}: not conserved`)
    if (settled < 0n || held < 0n || unresolved < 0n) throw new Broken(`${limit}: less than nothing`)
    if (limit !== 'month' && limit !== 'team' && limit !== 'at once') continue
    const kept = balances.find((each) => each.limit === limit && each.windowStart === windowStart)
    const known = kept === undefined ? 0n : kept.settled + kept.held + kept.unresolved
    if (settled + held + unresolved < known) throw new Broken(`${limit}: the ledger holds more`)
  }
}

/** When nothing is under way: nothing is held, memory and ledger agree, and no stretch of time has more than its cap. */
const checkEnd = (admission: Admission, ledger: ReturnType<typeof simulatedLedger>, now: number): void => {
  const balances = ledger.balances()
  checkStates(admission, balances, now)
  for (const { limit, held, settled, unresolved, windowStart } of admission.state(now)) {
    if (held !== 0n) throw new Broken(`${limit}: a hold has leaked`)
    if (limit !== 'month' && limit !== 'team') continue
    const kept = balances.find((each) => each.limit === limit && each.windowStart === windowStart)
    if ((kept?.settled ?? 0n) !== settled || (kept?.unresolved ?? 0n) !== unresolved) {
      throw new Broken(`${limit}: memory and ledger do not agree`)
    }
  }
  for (const { limit, settled, held, unresolved } of balances) {
    const cap = limits.find(({ name }) => name === limit)?.cap ?? 0n
    if (held !== 0n) throw new Broken(`${limit}: the ledger still holds`)
    if (limit !== 'rate' && settled + unresolved > cap) throw new Broken(`${limit}: the cap is passed`)
  }
  checkStretches(ledger)
}

/** What calls came to, in the order of their admission, against the windows that move. */
const checkStretches = (ledger: ReturnType<typeof simulatedLedger>): void => {
  const used = ledger.calls().map(({ call, status }) => ({
    at: call.at,
    user: call.holds.find(({ limit }) => limit === 'user')?.counter,
    amount: status === 'released' ? 0n : status === 'settled' ? call.truth : mostOf(call.holds),
  }))
  for (const from of used) {
    let [all, mine] = [0n, 0n]
    for (const to of used) {
      if (to.at < from.at) continue
      const within = used.filter((each) => each.at >= from.at && each.at <= to.at)
      all = within.reduce((sum, { amount }) => sum + amount, 0n)
      const own = within.filter(({ user }) => user === from.user)
      mine = own.reduce((sum, { amount }) => sum + amount, 0n)
      if (all * 60_000n > 200n * BigInt(60_000 + to.at - from.at))
        throw new Broken('rate: burst and refill are passed')
      if (to.at - from.at < 10 * minuteMs && mine > 150n)
        throw new Broken('user: ten minutes hold more than the cap')
    }
  }
}

const mostOf = (holds: readonly Hold[]): bigint => holds.find(({ limit }) => limit === 'rate')?.amount ?? 0n
