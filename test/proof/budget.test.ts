import { setTimeout as sleep } from 'node:timers/promises'
import type OpenAI from 'openai'
import { APIError } from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { formatPicos, parsePicos } from '../../src/money/money.ts'
import { startWorld, type TestWorld } from '../support/world.ts'
import { settledWhole } from './conservation.ts'
import { readEntries, type Standing, standings } from './entries.ts'
import { longForm, saying, seeded } from './work.ts'

const clients = 50
const cap = 1_000_000_000_000n
const limit = {
  name: 'one dollar',
  match: { team: 'search' },
  measure: 'cost',
  cap: '1',
  window: { calendar: 'month' },
}

let world: TestWorld
afterEach(async () => {
  await world.close()
})

/** What the details of a refusal say. */
type Refusal = { readonly held: string; readonly free: string; readonly asked: string }

/** How one client asks: how many choices, streamed or not. The smallest is one choice, whole. */
type Way = { readonly choices: number; readonly stream: boolean }
const smallest: Way = { choices: 1, stream: false }

/** Looks at the limit now. */
let look = (): void => {}

/** One call; null when it passed, and why when the budget refused it. Anything else throws. */
const ask = async (client: OpenAI, content: string, { choices, stream }: Way): Promise<Refusal | null> => {
  const request = {
    model: 'gpt-4-1106-preview',
    messages: [{ role: 'user' as const, content }],
    max_tokens: 500,
    n: choices,
    user: 'search',
  }
  try {
    if (stream) {
      for await (const _ of await client.chat.completions.create({ ...request, stream: true }));
    } else await client.chat.completions.create({ ...request, stream: false })
    look()
    return null
  } catch (error) {
    if (!(error instanceof APIError) || error.status !== 402) throw error
    look()
    expect([error.code, error.type]).toEqual(['insufficient_quota', 'insufficient_quota'])
    expect(error.message).toMatch(/quota exceeded for the limit "one dollar": of 1 USD, [\d.]+ USD are spent/)
    expect(error.message).toMatch(/this call can cost up to [\d.]+ USD, and [\d.]+ USD are free/)
    const { octroi } = error.error as { octroi: Refusal & { limit: string; cap: string } }
    expect(octroi).toMatchObject({ code: 'budget_exceeded', limit: 'one dollar', cap: '1', unresolved: '0' })
    expect(parsePicos(octroi.asked) > parsePicos(octroi.free)).toBe(true)
    return octroi
  }
}

/** Asks and asks again, until even its smallest call is refused while nobody's hold could still be freed. */
const spendAll = async (client: OpenAI, name: string, waysOf: (turn: number) => Way): Promise<Counts> => {
  const smallText = 'How much is left?'
  let [passed, refused] = [0, 0]
  for (let turn = 0; ; turn += 1) {
    const wide = await ask(client, saying(`${name} ${turn}`), waysOf(turn))
    if (wide === null) {
      passed += 1
      continue
    }
    refused += 1
    const small = await ask(client, smallText, smallest)
    if (small === null) passed += 1
    else {
      refused += 1
      if (small.held === '0') return { passed, refused, asked: parsePicos(small.asked) }
      await sleep(5)
    }
  }
}

type Counts = { readonly passed: number; readonly refused: number; readonly asked: bigint }

/** Looks at the limit every millisecond, and at each answer, until stopped; then tells how often it looked,
 * the most it saw counted, and what was wrong. */
const watch = () => {
  let [looks, most] = [0, 0n]
  const wrong: unknown[] = []
  look = () => {
    const [state] = world.gateway.limits()
    if (state === undefined) return
    const counted = state.settled + state.held + state.unresolved
    looks += 1
    if (counted > most) most = counted
    if (counted > cap || counted + state.free !== cap || state.over !== 0n) wrong.push(state)
  }
  const timer = setInterval(look, 1)
  return {
    stop: () => {
      clearInterval(timer)
      look()
      return { looks, most, wrong }
    },
  }
}

/** What the vendor bills for the calls of `search`, summed here: 10 and 30 USD for a million tokens. */
const vendorTotal = (): bigint =>
  world.sandbox
    .calls()
    .filter(({ user }) => user === 'search')
    .reduce(
      (sum, { usage }) =>
        sum +
        BigInt(usage['input_text_tokens'] ?? 0) * 10_000_000n +
        BigInt(usage['output_text_tokens'] ?? 0) * 30_000_000n,
      0n,
    )

const counted = ({ settled, held, unresolved }: Standing): bigint => settled + held + unresolved

const largest = (amounts: readonly bigint[]): bigint =>
  [...amounts].sort((a, b) => (a < b ? -1 : 1)).at(-1) ?? 0n

describe('a budget of 1 USD under 50 concurrent clients', () => {
  const ways: Record<string, (turn: number, random: number) => Way> = {
    'that send whole calls': () => smallest,
    'that send whole calls and streams, of one choice and of two': (_, random) => ({
      stream: random % 2 === 0,
      choices: 1 + (random % 3 === 0 ? 1 : 0),
    }),
  }

  it.each(
    Object.keys(ways).flatMap((name) =>
      Array.from({ length: longForm ? 5 : 1 }, (_, run) => ({ name, run })),
    ),
  )(
    'is never passed and is used up by clients $name ($run)',
    async ({ name, run }) => {
      world = await startWorld({
        config: { limits: [limit] },
        sandbox: { outputTokens: { least: 50, most: 500 }, latencyMs: 2, seed: `${name} ${run}` },
      })
      const search = await world.client('search', { maxRetries: 2 })
      const sales = await world.client('sales')
      const random = seeded('budget', name, `${run}`)
      const watched = watch()
      const counts = await Promise.all(
        Array.from({ length: clients }, (_, index) =>
          spendAll(search, `client ${index}`, (turn) => {
            const way = ways[name]
            if (way === undefined) throw new Error(`No way "${name}".`)
            return way(turn, random.whole({ least: 0, most: 5 }))
          }),
        ),
      )
      const { looks, most, wrong } = watched.stop()

      // Never passed: where the limit was seen, after each entry of the ledger, and at the vendor.
      expect(wrong).toEqual([])
      expect(looks).toBeGreaterThan(clients)
      const all = standings(readEntries(world.folder), 'one dollar')
      expect(largest(all.map(counted)) <= cap).toBe(true)
      expect(vendorTotal() <= cap).toBe(true)

      // The clients did compete for it: at its height all but a call's most was held or spent.
      const asked = largest(counts.map((each) => each.asked))
      expect(most > cap - 2n * largestMost()).toBe(true)
      expect(counts.every(({ refused }) => refused > 0)).toBe(true)

      // Used up: what is left would not hold the smallest call.
      const [state] = world.gateway.limits()
      expect(state).toMatchObject({ held: 0n, unresolved: 0n, over: 0n })
      expect(state?.settled).toBe(vendorTotal())
      expect(all.at(-1)).toEqual({ settled: vendorTotal(), held: 0n, unresolved: 0n })
      expect((state?.settled ?? 0n) >= cap - asked).toBe(true)
      expect((state?.settled ?? 0n) <= cap).toBe(true)

      // Every call that passed was billed, and no refused one was sent.
      const passed = counts.reduce((sum, each) => sum + each.passed, 0)
      expect(world.sandbox.calls().length).toBe(passed)
      expect(world.till.length).toBe(passed)

      expect(await settledWhole(world)).toBe(vendorTotal())

      // Another team is not stopped by it.
      await sales.chat.completions.create({ model: 'gpt-4', messages: [{ role: 'user', content: 'Hello' }] })
      if (longForm) {
        const refused = counts.reduce((sum, each) => sum + each.refused, 0)
        console.info(
          `${passed} calls passed, ${refused} were refused; ${formatPicos(vendorTotal())} USD are spent, ` +
            `at most ${formatPicos(most)} were counted in ${looks} looks`,
        )
      }
    },
    60_000,
  )
})

/** The most that any admitted call could cost. */
const largestMost = (): bigint =>
  largest(readEntries(world.folder).flatMap((entry) => (entry.kind === 'reserved' ? [entry.most ?? 0n] : [])))
