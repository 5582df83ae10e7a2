import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { generateCalls, generatedBook } from '../../test/support/generated-calls.ts'
import { loadCalls } from '../../test/support/load-calls.ts'
import { startWorld } from '../../test/support/world.ts'
import { openSqlite } from '../ledger/databases/sqlite.ts'
import { ledgerStore, openLedger, verify } from '../ledger/ledger.ts'
import { openSeals } from '../ledger/seal.ts'
import { verifyDays } from '../ledger/sealed/verify-days.ts'
import { openDataFolder } from './data-folder.ts'
import { createSealedDays, type SealingEvent } from './sealed-days.ts'

const dayMs = 86_400_000

const until = async (holds: () => boolean): Promise<void> => {
  for (let looks = 0; looks < 600; looks += 1) {
    if (holds()) return
    await sleep(50)
  }
  throw new Error('It does not come to hold.')
}

describe('a gateway that seals by itself', () => {
  it('seals a day when it is due by the running clock, and prunes it when its days are over', async () => {
    const told: SealingEvent[] = []
    const world = await startWorld({
      config: { sealing: { afterHours: 24, keepDays: 3 } },
      gateway: { onSealing: (event) => told.push(event) },
    })
    const client = await world.client('search')
    const hello = { model: 'gpt-4-1106-preview', messages: [{ role: 'user' as const, content: 'Hello' }] }
    for (let call = 0; call < 3; call += 1) await client.chat.completions.create(hello)
    // 2023-11-16T23:00: the day is over since 23 hours.
    world.clock.advance(35 * 3_600_000)
    await world.gateway.sweep()
    await sleep(100)
    expect(told).toEqual([])
    world.clock.advance(3_600_000)
    await world.gateway.sweep()
    await until(() => told.length > 0)
    expect(told).toEqual([{ kind: 'sealed', day: '2023-11-15', calls: 3 }])
    expect(await readdir(join(world.folder, 'sealed'))).toEqual(['2023-11-15.parquet'])
    await client.chat.completions.create(hello)
    world.clock.advance(2 * dayMs)
    await world.gateway.sweep()
    await until(() => told.length > 2)
    expect(told.slice(1)).toEqual([
      { kind: 'sealed', day: '2023-11-17', calls: 1 },
      { kind: 'pruned', day: '2023-11-15', calls: 3 },
    ])
    expect(world.faults).toEqual([])
    await world.close()
  }, 60_000)

  it('seals nothing where nothing is configured', async () => {
    const told: SealingEvent[] = []
    const world = await startWorld({ gateway: { onSealing: (event) => told.push(event) } })
    const client = await world.client('search')
    await client.chat.completions.create({
      ...{ model: 'gpt-4-1106-preview', messages: [{ role: 'user', content: 'Hello' }] },
    })
    world.clock.advance(9 * dayMs)
    await world.gateway.sweep()
    await sleep(200)
    expect(told).toEqual([])
    await world.close()
  }, 30_000)

  it('keeps nobody waiting meanwhile', async () => {
    const world = await startWorld()
    const { folder } = world
    await world.close()
    const data = await openDataFolder(folder)
    const from = Date.parse('2026-08-01')
    const calls = generateCalls({ calls: 3_000, from, days: 1, book: await generatedBook() })
    await loadCalls(openLedger(data.database), calls)
    const faults: unknown[] = []
    const days = createSealedDays({
      ...{ database: data.database, folder: data.sealedFolder },
      clock: { now: () => from + 9 * dayMs },
      ...{ told: () => {}, report: (error) => faults.push(error) },
    })
    const delay = monitorEventLoopDelay({ resolution: 5 })
    delay.enable()
    const sealed = await days.seal({ at: from + 9 * dayMs, afterHours: 48 })
    const pruned = await days.prune({ at: from + 9 * dayMs, keepDays: 1 })
    delay.disable()
    expect([sealed.seals[0]?.calls, pruned.days.length, faults]).toEqual([3_000, 1, []])
    // Half of the time the loop turns at once, however busy the machine is with other things.
    expect(delay.percentile(50) / 1e6).toBeLessThan(50)
    await days.close()
    await data.database.close()
    const database = await openSqlite({
      ...{ file: join(folder, 'ledger.sqlite'), stores: [ledgerStore], readOnly: true },
    })
    expect((await verify(database)).differences).toEqual([])
    expect((await verifyDays(database, data.sealedFolder)).differences).toEqual([])
    expect((await openSeals(database).list())[0]?.isPruned).toBe(true)
    await database.close()
  }, 60_000)
})
