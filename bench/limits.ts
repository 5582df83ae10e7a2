import { createAdmission } from '../src/limits/admit.ts'
import { createLender } from '../src/limits/lender.ts'
import { parseLimit } from '../src/limits/parse-limit.ts'
import type { LimitSubject } from '../src/limits/pattern.ts'
import { createSlices } from '../src/limits/slices.ts'
import { parseInstant } from '../src/time.ts'

/** Measures admission over 8 limits with 100,000 live counters, by one process and from the slices of a worker, and what a
 * counter weighs: `node bench/limits.ts`, with `--expose-gc` for the weights. About 10 seconds. */

const users = 33_333
const rounds = 15
const callsPerRound = 20_000
const start = parseInstant('2026-11-23T12:00:00Z')

const written = [
  { name: 'all', measure: 'cost', cap: '100000', window: { calendar: 'month' } },
  { name: 'team', match: { team: 'search' }, measure: 'cost', cap: '50000', window: { calendar: 'month' } },
  { name: 'user a day', each: ['endUser'], measure: 'cost', cap: '10', window: { calendar: 'day' } },
  { name: 'user a minute', each: ['endUser'], measure: 'requests', cap: '60', window: { bucket: '1m' } },
  { name: 'user an hour', each: ['endUser'], measure: 'tokens', cap: '1000000', window: { rolling: '1h' } },
  { name: 'model', match: { model: 'gpt-*' }, measure: 'tokens', cap: '900000000', window: { bucket: '1m' } },
  { name: 'requests', measure: 'requests', cap: '90000000', window: { bucket: '1m' } },
  { name: 'at once', measure: 'concurrent', cap: '1000' },
]

const subject: LimitSubject = {
  ...{ organization: 'acme', team: 'search', project: 'site', environment: 'production', key: 'key_1' },
  ...{ endUser: null, provider: 'openai', model: 'gpt-4o', endpoint: 'chat-completions', conversation: null },
  tags: { feature: 'rerank' },
}
const quote = {
  usage: [
    { meters: ['input_text_tokens', 'cached_input_tokens'], least: 0, most: 900 },
    { meters: ['output_text_tokens'], least: 0, most: 500 },
  ],
  unpriced: [],
  pricedMost: 7_250_000_000n,
} as const

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const gc = (globalThis as { gc?: () => void }).gc
const heap = (): number => {
  gc?.()
  gc?.()
  return process.memoryUsage().heapUsed
}

const admission = createAdmission(written.map(parseLimit), [])
let at = start
const asked = (user: number) => ({
  subject: { ...subject, endUser: `u_${user.toString(16).padStart(12, '0')}` },
  at,
  most: 7_250_000_000n,
  quote,
  currency: 'USD',
})
const actual = { cost: 3_000_000_000n, used: { requests: 1n, tokens: 1_100n } }

const call = (user: number): void => {
  const decision = admission.admit(asked(user))
  if (!decision.admitted) throw new Error(`refused by ${decision.limit}`)
  admission.settle({ holds: decision.holds, reservedAt: at, at }, actual)
}

const before = heap()
for (let user = 0; user < users; user += 1) {
  call(user)
  if (user % 1_000 === 0) at += 1
}
const grown = heap() - before
const counters = admission.state(at, Number.MAX_SAFE_INTEGER).length
const weight = grown / counters

const admits: number[] = []
const wholes: number[] = []
for (let round = 0; round < rounds; round += 1) {
  let user = round * 7_919
  const began = performance.now()
  for (let each = 0; each < callsPerRound; each += 1) {
    user = (user + 7_919) % users
    at += each % 100 === 0 ? 1 : 0
    call(user)
  }
  wholes.push(((performance.now() - began) * 1_000) / callsPerRound)
  const open = []
  const again = performance.now()
  for (let each = 0; each < 500; each += 1) {
    user = (user + 7_919) % users
    const decision = admission.admit(asked(user))
    if (decision.admitted) open.push(decision.holds)
  }
  admits.push(((performance.now() - again) * 1_000) / 500)
  for (const holds of open) admission.settle({ holds, reservedAt: at, at }, actual)
}

const limits = written.map(parseLimit)
const lender = createLender(limits, [])
const slices = createSlices(limits, lender.epoch())
const spent: Record<'takes' | 'uses' | 'lends', number[]> = { takes: [], uses: [], lends: [] }
const timed = <Value>(into: number[], run: () => Value): Value => {
  const began = performance.now()
  const value = run()
  into.push((performance.now() - began) * 1_000)
  return value
}
for (let each = 0; each < 60_000; each += 1) {
  const ask = asked(each % 2_000)
  let taken = timed(spent.takes, () => slices.take(ask))
  if (!taken.admitted) {
    const answer = timed(spent.lends, () => lender.lend('worker', ask, 2))
    if (!answer.lent) throw new Error(`refused by ${answer.refused.limit}`)
    slices.add(answer)
    taken = slices.take(ask)
  }
  if (!taken.admitted) throw new Error('a slice that was lent does not do')
  const { holds } = taken
  timed(spent.uses, () => lender.used('worker', holds, at, lender.epoch()))
  lender.admission.settle({ holds, reservedAt: at, at }, actual)
  at += each % 100 === 0 ? 1 : 0
}

console.log(`${written.length} limits, ${counters} live counters`)
console.log(`admission: ${median(admits).toFixed(1)} microseconds at the median of ${rounds} rounds`)
console.log(`admission and settlement: ${median(wholes).toFixed(1)} microseconds`)
console.log(
  `with slices, medians: a worker admits in ${median(spent.takes).toFixed(1)} microseconds; ` +
    `its keeper counts that in ${median(spent.uses).toFixed(1)}, and lends in ${median(spent.lends).toFixed(1)} ` +
    `for one call in ${(spent.takes.length / spent.lends.length).toFixed(1)}`,
)
console.log(
  gc === undefined
    ? 'run with --expose-gc for the weight of a counter'
    : `an idle counter weighs ${weight.toFixed(0)} bytes, its name included`,
)
