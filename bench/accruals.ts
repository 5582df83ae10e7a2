import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kept, openKeeper, toolCall } from '../test/support/keeper.ts'

/** Measures the keeper of accruals with 100,000 open sessions and 100,000 kept files: `node bench/accruals.ts`. About
 * a minute; another count as an argument. */

const count = Number(process.argv[2] ?? 100_000)
const together = 2_000
const hour = 3_600_000
const start = Date.parse('2024-03-04T00:00:00Z')
let now = start

const folder = mkdtempSync(join(tmpdir(), 'octroi-bench-'))
const file = join(folder, 'ledger.sqlite')
const { accruals, close, verify } = await openKeeper(file, { now: () => now })

/** Does something for each of a thousand things, and says how long a thousand took. */
const measure = async (what: string, run: () => Promise<unknown>, things = count): Promise<void> => {
  const before = performance.now()
  await run()
  const perThousand = ((performance.now() - before) / things) * 1_000
  const memory = Math.round(process.memoryUsage().rss / 2 ** 20)
  console.log(`${what.padEnd(34)} ${perThousand.toFixed(0).padStart(5)} ms a thousand, ${memory} MB resident`)
}

const each = async (one: (index: number) => Promise<void>): Promise<void> => {
  for (let from = 0; from < count; from += together) {
    await Promise.all(
      Array.from({ length: Math.min(together, count - from) }, (_, index) => one(from + index)),
    )
  }
}

await measure('sessions opened', () =>
  each((index) => accruals.use(toolCall(`call_${index}`, start, `thread_${index}`))),
)
await measure('second uses in a session', () =>
  each((index) => accruals.use(toolCall(`again_${index}`, start + 1, `thread_${index}`))),
)
await measure('files kept', () => each((index) => accruals.keep(kept(`file_${index}`, start))))
for (const step of [1, 2]) {
  now = start + step * hour
  await measure(`closing ${step}, an hour later`, () => accruals.close(now))
}
const { agrees, entries } = await verify()
console.log(`${entries.toLocaleString('en')} entries, verify ${agrees ? 'agrees' : 'DIFFERS'}`)
await close()
rmSync(folder, { recursive: true, force: true })
