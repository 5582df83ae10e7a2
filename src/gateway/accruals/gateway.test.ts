import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { kept, openKeeper, sumOf, toolCall } from '../../../test/support/keeper.ts'
import { startWorld } from '../../../test/support/world.ts'
import { formatPicos } from '../../money/money.ts'
import { parseInstant } from '../../time.ts'
import { ledgerFile } from '../data-folder.ts'

const hour = 3_600_000
const start = parseInstant('2024-03-04T00:00:00Z')

it('a gateway that was stopped for three hours posts them when it is up again, and each hour that follows, once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'octroi-accruals-'))
  const before = await openKeeper(ledgerFile(folder), { now: () => start })
  await before.accruals.keep(kept('file_1', start))
  await before.accruals.use(toolCall('call_1', start))
  await before.close()

  const limits = [{ name: 'all', measure: 'cost', cap: '1', window: { calendar: 'month' } }]
  const world = await startWorld({ folder, at: '2024-03-04T03:00:00Z', config: { limits } })
  await world.gateway.sweep()
  // 0.03 was posted under another cap of the same name; 3 of 24 hours at 0.2 USD.
  expect(formatPicos(world.gateway.limits()[0]?.settled ?? 0n)).toBe('0.055')
  world.clock.advance(hour + 60_000)
  await world.gateway.sweep()
  await world.gateway.sweep()
  expect(await world.gateway.accruals.open(world.clock.now())).toEqual({ sessions: 0, stays: 1 })
  expect(await world.gateway.accruals.close(world.clock.now(), { final: true })).toBe(1)
  expect(world.faults).toEqual([])
  await world.close()

  const after = await openKeeper(ledgerFile(folder), { now: () => start })
  expect((await after.verify()).differences).toEqual([])
  const entries = await after.entries()
  const stays = entries.filter(({ object }) => object !== null)
  expect(stays.map(({ to }) => (to - start) / 60_000)).toEqual([60, 120, 180, 240, 241])
  expect(formatPicos(sumOf(entries).amount)).toBe('0.063472222222')
  await after.close()
  await rm(folder, { recursive: true })
})
