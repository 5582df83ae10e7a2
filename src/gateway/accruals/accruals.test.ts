import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { gigabyte, kept, openKeeper, sumOf, toolCall } from '../../../test/support/keeper.ts'
import { bundledPrices } from '../../cli/bundled.ts'
import { formatPicos } from '../../money/money.ts'
import { openPriceBook } from '../../pricing/price-book.ts'
import { formatInstant, type Instant, parseInstant } from '../../time.ts'
import { sessions } from '../../usage/accrual.ts'

const folder = mkdtempSync(join(tmpdir(), 'octroi-accruals-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
/** After the promotions: sessions were free until 2023-12-13, retrieval until 2024-03-01. */
const start = parseInstant('2024-03-04T00:00:00Z')

let files = 0
let file: string
let now: Instant
let keeper: Awaited<ReturnType<typeof openKeeper>>
const reopen = async (): Promise<void> => {
  keeper = await openKeeper(file, { now: () => now })
}
beforeEach(async () => {
  file = join(folder, `${files++}.sqlite`)
  now = start
  await reopen()
})
afterEach(async () => {
  expect((await keeper.verify()).differences).toEqual([])
  const [balance] = await keeper.ledger.balances()
  const entries = await keeper.entries()
  const counted = entries.flatMap(({ counts }) => counts).reduce((sum, { amount }) => sum + amount, 0n)
  expect(counted).toBe(sumOf(entries).amount)
  if (entries.length > 0) expect(balance?.limit).toBe('all')
  await keeper.close()
})

const closeAt = (at: Instant, final = false): Promise<number> => {
  now = at
  return keeper.accruals.close(at, { final })
}
const total = async (): Promise<string> => formatPicos(sumOf(await keeper.entries()).amount)

describe('a code interpreter session', () => {
  it('costs 0.03 for 40 calls in an hour, and 0.06 with one after 61 minutes', async () => {
    for (let call = 0; call < 40; call += 1) {
      await keeper.accruals.use(toolCall(`call_${call}`, start + call * minute))
    }
    expect(await total()).toBe('0.03')
    await keeper.accruals.use(toolCall('call_40', start + 61 * minute))
    expect(await total()).toBe('0.06')
    expect(await keeper.accruals.open(start + 61 * minute)).toEqual({ sessions: 1, stays: 0 })
  })

  it('is one for each of two threads, told of its conversation, for one hour', async () => {
    await Promise.all(
      ['thread_1', 'thread_2'].map((each) => keeper.accruals.use(toolCall(each, start, each))),
    )
    expect(await total()).toBe('0.06')
    expect(await keeper.entries()).toMatchObject([
      { conversation: 'thread_1', holder: 'thread_1', object: null, from: start, to: start + hour },
      { conversation: 'thread_2', basis: 'measured', charges: [{ quantity: 1 }] },
    ])
  })

  it('is listed at 0.03 and free under the promotion of 2023', async () => {
    await keeper.accruals.use(toolCall('call_1', parseInstant('2023-11-15T12:00:00Z')))
    const entries = await keeper.entries()
    expect(sumOf(entries)).toEqual({ amount: 0n, list: 30_000_000_000n })
    expect(entries).toMatchObject([{ charges: [{ unitPrice: '0', list: { unitPrice: '0.03' } }] }])
  })

  it('is named as unpriced where the book has no price', async () => {
    await keeper.accruals.use({ ...toolCall('call_1', start), pricesFrom: 'mistral' })
    expect(await keeper.entries()).toMatchObject([
      { charges: [], unpriced: [{ meter: 'code_interpreter_session', quantity: 1 }] },
    ])
  })
})

describe('a gigabyte kept for retrieval', () => {
  it('costs 0.40 a day with two assistants', async () => {
    await keeper.accruals.keep(kept('file_1', start))
    await keeper.accruals.keep(kept('file_1', start, { holder: 'asst_2' }))
    for (let step = 1; step <= 24; step += 1) expect(await closeAt(start + step * hour)).toBe(2)
    expect(await total()).toBe('0.4')
  })

  it('costs a quarter of a day when it is removed after 6 hours', async () => {
    await keeper.accruals.keep(kept('file_1', start))
    await closeAt(start + 5 * hour)
    await keeper.accruals.end({
      ...{ upstream: 'openai', meter: null, holder: 'asst_1', object: 'file_1', at: start + 6 * hour },
    })
    await closeAt(start + 3 * day)
    expect(await total()).toBe('0.05')
    expect(await keeper.accruals.open(now)).toEqual({ sessions: 0, stays: 0 })
  })

  it('posts the rest at the next closing when it is gone before the first', async () => {
    await keeper.accruals.keep(kept('file_1', start + 10 * minute))
    const gone = { upstream: 'openai', meter: null, holder: null, object: 'file_1' }
    await keeper.accruals.end({ ...gone, at: start + 40 * minute })
    expect(await closeAt(start + 59 * minute)).toBe(0)
    expect(await closeAt(start + hour)).toBe(1)
    expect(await keeper.entries()).toMatchObject([
      { from: start + 10 * minute, to: start + 40 * minute, charges: [{ amount: 4_166_666_667n }] },
    ])
  })

  it('is free and listed until the promotion ends, in the middle of an hour', async () => {
    const end = parseInstant('2024-03-01T00:30:00Z')
    const files = (await bundledPrices()).map((each) => ({
      ...each,
      prices: each.prices.map((row) =>
        row.meter === 'retrieval_gb_day' && row.effectiveTo === '2024-03-01'
          ? { ...row, effectiveTo: formatInstant(end) }
          : row,
      ),
    }))
    await keeper.close()
    keeper = await openKeeper(file, { now: () => now, book: openPriceBook(files) })
    await keeper.accruals.keep(kept('file_1', end - 30 * minute))
    await closeAt(end + 30 * minute)
    const [entry] = await keeper.entries()
    expect(entry?.charges.map(({ unitPrice, quantity, amount }) => [unitPrice, quantity, amount])).toEqual([
      ['0', { numerator: 1n, denominator: 48n }, 0n],
      ['0.2', { numerator: 1n, denominator: 48n }, 4_166_666_667n],
    ])
    expect(entry?.list).toBe(8_333_333_333n)
  })

  it('counts in the months in which it was kept, and goes over a cap without being refused', async () => {
    const evening = parseInstant('2024-03-31T12:00:00Z')
    await keeper.accruals.keep(kept('file_1', evening, { bytes: 4 * gigabyte }))
    await closeAt(evening + day)
    expect((await keeper.ledger.balances()).map(({ settled }) => formatPicos(settled))).toEqual([
      '0.4',
      '0.4',
    ])
    await closeAt(evening + 2 * day)
    expect(keeper.admission.state(now)).toMatchObject([
      { settled: 1_200_000_000_000n, free: 0n, over: 700_000_000_000n },
    ])
  })

  it('refuses what does not grow with time, and sizes that are none', async () => {
    const keep = (more: object) => keeper.accruals.keep(kept('file_1', start, more))
    await expect(keep({ meter: 'image' })).rejects.toMatchObject({ code: 'bad_input' })
    await expect(keep({ bytes: -1 })).rejects.toMatchObject({ code: 'bad_number' })
    await expect(keep({ attributes: { tyre: 'flat' } })).rejects.toMatchObject({ code: 'bad_input' })
    await expect(keeper.accruals.use({ ...toolCall('a', start), seconds: 0.5 })).rejects.toMatchObject({
      code: 'bad_number',
    })
    expect(await keeper.accruals.open(start)).toEqual({ sessions: 0, stays: 0 })
    await keeper.accruals.keep(kept('file_1', start))
    const everything = { upstream: 'openai', meter: null, holder: null, object: null, at: start }
    await expect(keeper.accruals.end(everything)).rejects.toMatchObject({ code: 'bad_input' })
    expect(await keeper.accruals.open(start)).toEqual({ sessions: 0, stays: 1 })
  })
})

describe('a keeper that was away', () => {
  it('catches up three hours, an entry each, once', async () => {
    await keeper.accruals.keep(kept('file_1', start))
    await closeAt(start + hour)
    await keeper.close()
    await reopen()
    expect(await closeAt(start + 4 * hour + minute)).toBe(3)
    expect(await closeAt(start + 4 * hour + minute)).toBe(0)
    const stretches = (await keeper.entries()).map(({ from, to }) => [
      (from - start) / hour,
      (to - start) / hour,
    ])
    expect(stretches).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
    ])
    expect(keeper.admission.state(now)).toMatchObject([{ settled: 33_333_333_333n }])
  })

  it('posts days where it was away for longer than 48 hours, and the last 48 by the hour', async () => {
    await keeper.accruals.keep(kept('file_1', start + 12 * hour))
    expect(await closeAt(start + 40 * day)).toBe(38 + 48)
    expect(await total()).toBe('7.9')
    const [first, second] = await keeper.entries()
    expect([first?.to, second?.to]).toEqual([start + day, start + 2 * day])
  })

  it('posts nothing twice and nothing backwards when the clock jumps back', async () => {
    await keeper.accruals.keep(kept('file_1', start))
    expect(await closeAt(start + 3 * hour)).toBe(3)
    expect(await closeAt(start + hour)).toBe(0)
    await keeper.accruals.end({
      ...{ upstream: 'openai', meter: null, holder: null, object: 'file_1', at: start + 90 * minute },
    })
    expect(await closeAt(start + day)).toBe(0)
    expect(await total()).toBe('0.025')
  })

  it('posts each stretch once when several closings are asked for together', async () => {
    await keeper.accruals.keep(kept('file_1', start))
    now = start + 2 * hour
    expect(await Promise.all([1, 2, 3].map(() => keeper.accruals.close(now)))).toEqual([2, 0, 0])
  })
})

it('opens the sessions that the calls of tools make, each told once or twice', async () => {
  const call = fc.record({ thread: fc.constantFrom('thread_1', 'thread_2'), after: fc.nat(90 * minute) })
  let round = 0
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 25 }), async (told) => {
      round += 1
      let at = start + round * 100 * day
      const calls = told.map(({ thread, after }) => {
        at += after
        return { owner: thread, at }
      })
      for (const [index, { owner, at }] of calls.entries()) {
        const use = toolCall(`call_${round}_${index}`, at, owner)
        await Promise.all([keeper.accruals.use(use), keeper.accruals.use(use)])
      }
      const opened = (await keeper.entries()).filter(({ from }) => from >= start + round * 100 * day)
      const expected = sessions(calls, { seconds: 3_600 })
      const name = (holder: string, from: Instant): string => `${from} ${holder}`
      expect(opened.map(({ holder, from }) => name(holder, from)).sort()).toEqual(
        expected.map(({ owner, from }) => name(owner, from)).sort(),
      )
    }),
    { numRuns: 15 },
  )
}, 60_000)

it('comes to the same however its closings are split, and to the exact amount rounded once', async () => {
  const thing = fc.record({
    bytes: fc.integer({ min: 0, max: 2 ** 40 }),
    from: fc.integer({ min: 0, max: 10 * hour }),
    lasts: fc.integer({ min: 0, max: 10 * hour }),
  })
  const when = fc.array(fc.integer({ min: 0, max: 30 * hour }), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(fc.array(thing, { minLength: 1, maxLength: 4 }), when, async (things, closings) => {
      const own = await openKeeper(join(folder, `${files++}.sqlite`), { now: () => now })
      for (const [index, { bytes, from, lasts }] of things.entries()) {
        await own.accruals.keep(kept(`file_${index}`, start + from, { bytes }))
        const gone = { upstream: 'openai', meter: null, holder: null, object: `file_${index}` }
        await own.accruals.end({ ...gone, at: start + from + lasts })
      }
      for (const [index, at] of closings.entries()) {
        await own.accruals.close(start + at, { final: index % 2 === 0 })
      }
      await own.accruals.close(start + 2 * day)
      // 0.2 USD a gigabyte-day, in 10^-12: doubled, so that a half is seen.
      const due = things.map(({ bytes, lasts }) => (400_000_000_000n * BigInt(bytes) * BigInt(lasts)) / unit)
      const amount = sumOf(await own.entries()).amount
      const twice = due.reduce((sum, each) => sum + each, 0n)
      expect(amount * 2n >= twice - BigInt(2 * things.length)).toBe(true)
      expect(amount * 2n <= twice + BigInt(2 * things.length)).toBe(true)
      const again = await openKeeper(join(folder, `${files++}.sqlite`), { now: () => now })
      for (const [index, { bytes, from, lasts }] of things.entries()) {
        await again.accruals.keep(kept(`file_${index}`, start + from, { bytes }))
        const gone = { upstream: 'openai', meter: null, holder: null, object: `file_${index}` }
        await again.accruals.end({ ...gone, at: start + from + lasts })
      }
      await again.accruals.close(start + 2 * day)
      expect(sumOf(await again.entries())).toEqual(sumOf(await own.entries()))
      expect((await own.verify()).differences).toEqual([])
      await Promise.all([own.close(), again.close()])
    }),
    { numRuns: 15 },
  )
}, 60_000)

const unit = BigInt(gigabyte) * BigInt(day)

it('closes a thousand stays in less than a second of work', async () => {
  const keeps = Array.from({ length: 1_000 }, (_, file) => keeper.accruals.keep(kept(`file_${file}`, start)))
  await Promise.all(keeps)
  const took: number[] = []
  for (const step of [1, 2, 3]) {
    const before = process.cpuUsage()
    expect(await closeAt(start + step * hour)).toBe(1_000)
    const { user, system } = process.cpuUsage(before)
    took.push((user + system) / 1_000)
  }
  expect(Math.min(...took)).toBeLessThan(1_000)
}, 60_000)
