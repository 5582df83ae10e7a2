import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bundledPrices } from '../../src/cli/bundled.ts'
import { OctroiError } from '../../src/errors.ts'
import type { Database } from '../../src/ledger/database.ts'
import { openSqlite } from '../../src/ledger/databases/sqlite.ts'
import { ledgerStore, verify } from '../../src/ledger/ledger.ts'
import { formatPicos } from '../../src/money/money.ts'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { manualClock, parseInstant } from '../../src/time.ts'
import { costOf, countConflicts, readEntries } from '../proof/entries.ts'
import { longForm, seeded } from '../proof/work.ts'
import { startWorld } from '../support/world.ts'

const at = '2023-11-15T12:00:00Z'
const limits = [{ name: 'all', measure: 'cost', cap: '1000', window: { calendar: 'month', timeZone: 'UTC' } }]
const verbsThatWrite = ['reserve', 'settle', 'release']

/** Calls of a key that refuses and one that spools, a disk that fails after so many writes and is mended, and gateways
 * that end and begin again, in an order that chance has a part in. Each call writes twice, so the disk also fails in
 * between. */
const live = async (seed: number, steps: number) => {
  const random = seeded('spool', String(seed))
  const chance = (percent: number): boolean => random.whole({ least: 1, most: 100 }) <= percent
  const [folder, spoolFolder] = await Promise.all(
    ['octroi-test-', 'octroi-spool-'].map((name) => mkdtemp(join(tmpdir(), name))),
  )
  if (folder === undefined || spoolFolder === undefined) throw new Error('No folder.')
  const clock = manualClock(parseInstant(at))
  const vendor = await createSandbox({ profile: '2023-11', clock, prices: await bundledPrices(), seed })
  let failsIn = Number.POSITIVE_INFINITY
  const database = (opened: Database): Database => ({
    ...opened,
    call: (store, verb, argument) => {
      if (store !== 'ledger' || !verbsThatWrite.includes(verb)) return opened.call(store, verb, argument)
      failsIn -= 1
      if (failsIn >= 0) return opened.call(store, verb, argument)
      return Promise.reject(
        new OctroiError('ledger_unavailable', 'The disk is full.', { cause: 'SQLITE_FULL' }),
      )
    },
  })
  const providers = { openai: { baseUrl: vendor.baseUrl, keyVariable: 'VENDOR_KEY' } }
  const start = () =>
    startWorld({ folder, database, config: { providers, limits }, gateway: { spoolFolder } })
  let world = await start()
  const owner = { name: null, organization: null, team: 'search', project: null, environment: null }
  const refuses = await world.gateway.registry.createKey(owner, clock.now())
  const spools = await world.gateway.registry.createKey(
    { ...owner, onLedgerFailure: { spool: '50' } },
    clock.now(),
  )
  const replies: {
    readonly status: number
    readonly id: string | undefined
    readonly spooled: string | null
  }[] = []
  const call = async (secret: string): Promise<void> => {
    const reply = await fetch(`${world.gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
      body: JSON.stringify({ model: 'gpt-4-1106-preview', messages: [{ role: 'user', content: 'Hello' }] }),
    })
    const { id } = (await reply.json()) as { id?: string }
    replies.push({ status: reply.status, id, spooled: reply.headers.get('octroi-spooled') })
  }
  let restarts = 0
  for (let step = 0; step < steps; step += 1) {
    if (step % 8 === 2) failsIn = random.whole({ least: 0, most: 4 })
    else if (step % 8 === 6 && chance(50)) failsIn = Number.POSITIVE_INFINITY
    else if (step % 12 === 11) {
      const before = world.gateway.limits()
      await world.close()
      world = await start()
      restarts += 1
      expect(world.gateway.limits()).toEqual(before)
    } else if (chance(10)) await world.gateway.sweep().catch(() => {})
    else await Promise.all([call(refuses.secret), call(spools.secret), call(spools.secret)])
  }
  failsIn = Number.POSITIVE_INFINITY
  await expect.poll(() => readdir(spoolFolder), { timeout: 10_000 }).toEqual([])
  const counted = world.gateway.limits()[0]
  await world.close()
  const entries = readEntries(folder)
  const ledger = await openSqlite({
    file: join(folder, 'ledger.sqlite'),
    stores: [ledgerStore],
    readOnly: true,
  })
  const verification = await verify(ledger).finally(ledger.close)
  const conflicts = countConflicts(folder)
  const billed = { total: vendor.total().amount, ids: vendor.calls().map(({ id }) => id) }
  await vendor.close()
  await rm(folder, { recursive: true })
  await rm(spoolFolder, { recursive: true })
  return { replies, restarts, counted, entries, verification, conflicts, billed }
}

describe('a gateway whose disk fails and is mended, and that ends and begins again', () => {
  it.each(longForm ? Array.from({ length: 40 }, (_, seed) => seed) : [1, 2, 3])(
    'has each call that was sent once in its ledger, for what the vendor billed (seed %i)',
    async (seed) => {
      const { replies, restarts, counted, entries, verification, conflicts, billed } = await live(seed, 40)
      const answered = replies.filter(({ status }) => status === 200)
      expect(replies.filter(({ status }) => ![200, 503].includes(status))).toEqual([])
      expect(answered.map(({ id }) => id).sort()).toEqual([...billed.ids].sort())
      expect(answered.filter(({ spooled }) => spooled === 'true').length).toBeGreaterThan(3)
      expect(answered.length).toBeLessThan(replies.length)
      expect(restarts).toBeGreaterThan(0)
      const of = (kind: string) => entries.filter((entry) => entry.kind === kind).length
      expect([of('reserved'), of('settled'), entries.length]).toEqual([
        answered.length,
        answered.length,
        2 * answered.length,
      ])
      const settled = entries.flatMap((entry) => (entry.kind === 'settled' ? [costOf(entry)] : []))
      const total = settled.reduce((sum, cost) => sum + cost, 0n)
      expect(formatPicos(total)).toBe(billed.total)
      expect(counted).toMatchObject({ settled: total, held: 0n, unresolved: 0n })
      expect(verification).toMatchObject({ agrees: true, differences: [] })
      expect(conflicts).toBe(0)
    },
    120_000,
  )
})
