import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { longForm } from '../../../test/proof/work.ts'
import { openKeeper, sumOf } from '../../../test/support/keeper.ts'
import { parseInstant } from '../../time.ts'

const folder = mkdtempSync(join(tmpdir(), 'octroi-accruals-kill-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const hour = 3_600_000
const start = parseInstant('2024-03-04T00:00:00Z')
const kills = longForm ? 50 : 5
const stays = 40

/** A process that keeps objects, uses a tool each half hour and closes each hour without pause, from the hour it is
 * told, and notes the hours whose closing was acknowledged. */
const keeper = `
  import { writeFileSync } from 'node:fs'
  const [file, from, notes] = process.argv.slice(1)
  const { kept, openKeeper, toolCall } = await import(new URL('../../../test/support/keeper.ts', '${import.meta.url}'))
  const [start, hour] = [${start}, ${hour}]
  let now = start
  const { accruals } = await openKeeper(file, { now: () => now })
  for (let stay = 0; stay < ${stays}; stay++) await accruals.keep(kept('file_' + stay, start))
  for (let closed = Number(from); ; closed++) {
    now = start + closed * hour
    const uses = [0, 0.5].map((half) => toolCall('call_' + (closed + half), now + half * hour))
    await Promise.all([accruals.close(now), ...uses.map((use) => accruals.use(use))])
    writeFileSync(notes, String(closed))
  }
`

/** Runs the keeper from an hour, kills it with no warning some hours later, and gives the hour it had closed. */
const runAndKill = async (file: string, from: number): Promise<number> => {
  const notes = join(folder, `notes-${from}`)
  writeFileSync(notes, `${from}`)
  const child = spawn(process.execPath, ['--input-type=module', '--eval', keeper, file, `${from}`, notes], {
    stdio: 'inherit',
  })
  const closed = (): number => Number(readFileSync(notes, 'utf8'))
  const watch = setInterval(() => {
    if (existsSync(notes) && closed() >= from + 7) child.kill('SIGKILL')
  }, 3)
  await once(child, 'close')
  clearInterval(watch)
  expect(child.signalCode).toBe('SIGKILL')
  return closed()
}

it(
  `posts every hour once, and none twice, when it is killed while it closes, ${kills} times`,
  async () => {
    const file = join(folder, 'ledger.sqlite')
    let closed = 1
    for (let kill = 0; kill < kills; kill += 1) {
      closed = await runAndKill(file, closed)
      const found = await openKeeper(file, { now: () => start })
      expect((await found.verify()).differences).toEqual([])
      await found.close()
      // Some of the time nobody was there.
      closed += 3
    }
    const now = start + closed * hour
    const { accruals, entries, ledger, verify } = await openKeeper(file, { now: () => now })
    await accruals.close(now)
    expect(await accruals.close(now)).toBe(0)
    const posted = (await entries()).filter(({ from }) => from < now)
    const kept = posted.filter(({ object }) => object !== null)
    for (const stay of Map.groupBy(kept, ({ accrualId }) => accrualId).values()) {
      expect(stay.map(({ from }) => (from - start) / hour)).toEqual(
        Array.from({ length: closed }, (_, at) => at),
      )
    }
    // A gigabyte costs 0.2 USD a day; each of the objects is rounded once.
    const due = (BigInt(closed) * 200_000_000_000n) / 24n
    expect(sumOf(kept).amount / BigInt(stays) - due).toBeLessThanOrEqual(1n)
    expect(sumOf(kept).amount / BigInt(stays) - due).toBeGreaterThanOrEqual(0n)
    const sessions = posted.filter(({ object }) => object === null)
    expect(new Set(sessions.map(({ from }) => from)).size).toBe(sessions.length)
    expect(sessions.filter(({ from }) => from % hour !== 0)).toEqual([])
    const [balance] = await ledger.balances()
    expect(balance?.settled).toBe(sumOf(await entries()).amount)
    expect((await verify()).differences).toEqual([])
    await ledger.close()
  },
  longForm ? 600_000 : 120_000,
)
