import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { openSqlite } from '../src/ledger/databases/sqlite.ts'
import { ledgerStore, openLedger, verify } from '../src/ledger/ledger.ts'
import { openSeals } from '../src/ledger/seal.ts'
import { withDayWorker } from '../src/ledger/sealed/day-worker.ts'
import type { GroupsAsked } from '../src/ledger/sealed/grouping.ts'
import { pruneDays, sealDays } from '../src/ledger/sealed/sealing.ts'
import { sumDays } from '../src/ledger/sealed/sum-days.ts'
import { verifyDays } from '../src/ledger/sealed/verify-days.ts'
import { openSums } from '../src/ledger/sealed-sums.ts'
import { generateCalls, generatedBook } from '../test/support/generated-calls.ts'
import { loadCalls } from '../test/support/load-calls.ts'
import type { Question } from './reports/question.ts'
import { repeatDay } from './reports/repeat-days.ts'
import { repeatHours } from './reports/repeat-hours.ts'
import { repeatSums } from './reports/repeat-sums.ts'

/** Measures reports over many calls: `node bench/reports.ts --calls 1000000`. Calls are generated, written through the
 * ledger's own verbs, verified, sealed and, with `--prune`, left to the files; then each question is asked in a process
 * of its own. `--repeated 100000000` asks them of so many calls instead, in days that are made out of one sealed day of
 * `--calls`. `--folder` keeps the ledger: what is there is not written again. `--only user`
 * asks the questions of that name. */

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '1000000' },
    days: { type: 'string', default: '90' },
    folder: { type: 'string' },
    repeated: { type: 'string' },
    prune: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
})
const calls = Number(values.calls)
const days = values.repeated === undefined ? Number(values.days) : 1
const from = Date.parse('2026-08-01')
const dayMs = 86_400_000

const folder = values.folder ?? (await mkdtemp(join(tmpdir(), 'octroi-bench-')))
await mkdir(folder, { recursive: true })
const file = join(folder, 'ledger.sqlite')
let sealed = join(folder, 'sealed')

const count = (number: number | bigint): string => number.toLocaleString('en')

const timed = async <Result>(what: string, each: number, work: () => Promise<Result>): Promise<Result> => {
  const start = performance.now()
  const result = await work()
  const seconds = (performance.now() - start) / 1_000
  console.log(`${what}: ${seconds.toFixed(1)} s, ${count(Math.round(each / seconds))} calls a second`)
  return result
}

const database = await openSqlite({ file, stores: [ledgerStore] })
const seals = openSeals(database)
if ((await seals.lastSequence()) === 0) {
  const book = await generatedBook()
  await timed('written by the verbs of the ledger', calls, () =>
    loadCalls(openLedger(database), generateCalls({ calls, from, days, book })),
  )
  const { agrees } = await timed('verified', calls, () => verify(database))
  console.log(
    `the ledger ${agrees ? 'agrees' : 'DIFFERS'}; ${bytesACall((await stat(file)).size, calls)} in SQLite`,
  )
}
if ((await seals.list()).length === 0) {
  const made = await timed('sealed', calls, () =>
    sealDays(database, { folder: sealed, at: from + (days + 9) * dayMs, afterHours: 48 }),
  )
  const bytes = made.seals.reduce((sum, seal) => sum + seal.bytes, 0)
  console.log(`${bytesACall(bytes, calls)} sealed (asked: at most 400)`)
}
// What was sealed before there were sums of sealed days gets them here.
await timed('sums brought up to date', calls, () =>
  withDayWorker(database, (worker) => sumDays(database, { worker, folder: sealed })),
)
const summedBytes = (await openSums(database).list()).reduce((sum, { bytes }) => sum + bytes, 0)
console.log(`${bytesACall(summedBytes, calls)} of sums`)
if (values.prune) {
  await timed('removed from SQLite', calls, () =>
    pruneDays(database, { folder: sealed, at: from + (days + 99) * dayMs, keepDays: 2 }),
  )
  const { differenceCount } = await timed('verified', calls, () => verify(database))
  const { differences } = await timed('sealed days verified', calls, () => verifyDays(database, sealed))
  console.log(differenceCount + differences.length === 0 ? 'both agree' : 'they DIFFER')
}
await database.close()

let asked = { file, calls, days }
if (values.repeated !== undefined) asked = await repeated(Number(values.repeated))

const period = { from, to: from + (asked.days + 1) * dayMs }
const only = (dimension: 'team' | 'tag:feature', value: string) => [{ dimension, value }]
const detail: readonly (readonly [what: string, asked: GroupsAsked])[] = [
  ['spend by day and model', { ...period, by: ['day', 'model'] }],
  ['by end user', { ...period, by: ['endUser'] }],
  ['hourly for a team', { ...period, by: ['hour'], only: only('team', 'team_3') }],
  ['by tag', { ...period, by: ['tag:feature'] }],
  ['customers of a tag', { ...period, by: ['tag:customer'], only: only('tag:feature', 'feature_3') }],
  ['by tag, of 7 days', { from, to: from + 7 * dayMs, by: ['tag:feature'] }],
  ['by meter', { ...period, by: ['meter'] }],
  ['by day, team, project, model, key', { ...period, by: ['day', 'team', 'project', 'model', 'key'] }],
  ['by conversation, of a day', { from, to: from + 2 * dayMs, by: ['conversation'] }],
]
const largest: readonly (readonly [what: string, asked: GroupsAsked])[] = [
  ['top users', { ...period, by: ['endUser'] }],
  ['top users of a team', { ...period, by: ['endUser'], only: only('team', 'team_3') }],
  ['top conversations', { ...period, by: ['conversation'] }],
  ['top users by model', { ...period, by: ['endUser', 'model'] }],
]
const reports: readonly (readonly [what: string, asked: Readonly<Record<string, string>>])[] = [
  ['report of spend by day and model', { by: 'day,model' }],
  ['report hourly for a team', { by: 'hour', where: 'team=team_3' }],
  ['report by team and model', { by: 'team,model' }],
  ['report by project', { by: 'project' }],
  ['report by meter', { by: 'meter' }],
  ['report of top users', { by: 'endUser', top: '20' }],
  ['report by tag', { by: 'tag:feature' }],
  ['report of customers of a tag', { by: 'tag:customer', where: 'tag:feature=feature_3' }],
  ['report by tag of 7 days', { by: 'tag:feature', from: '2026-08-01', to: '2026-08-08' }],
  ['report of top conversations', { by: 'conversation', top: '20' }],
]
const questions: readonly (readonly [what: string, asked: Question])[] = [
  ...reports.map(([what, report]) => [what, { report }] as const),
  ...largest.map(([what, of]) => [what, { largest: of }] as const),
  ...detail.map(([what, of]) => [what, { detail: of }] as const),
].filter(([what]) => what.includes(values.only))
console.log(`\n${count(asked.calls)} calls`)
for (const [what, question] of questions) {
  const argument = JSON.stringify({ file: asked.file, folder: sealed, asked: question })
  const child = new URL('./reports/question.ts', import.meta.url).pathname
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', child, argument],
    {
      maxBuffer: 1e8,
    },
  )
  const { ms, bytes, groups, total } = JSON.parse(stdout)
  console.log(
    `${what}: ${Math.round(ms)} ms, ${Math.round(bytes / 1_048_576)} MB, ${count(groups)} groups, sum ${total}`,
  )
}
if (values.folder === undefined) await rm(folder, { recursive: true, force: true })

/** Days made out of the one that was sealed, beside a ledger that knows of no call but them. */
async function repeated(wanted: number): Promise<typeof asked> {
  const source = await openSqlite({ file, stores: [ledgerStore], readOnly: true })
  const [seal] = await openSeals(source).list()
  await source.close()
  if (seal === undefined) throw new Error('Nothing was sealed.')
  const copiedDays = 90
  const copies = Math.max(1, Math.round(wanted / copiedDays / seal.calls))
  const made = {
    file: join(folder, `${wanted}.sqlite`),
    calls: copies * copiedDays * seal.calls,
    days: copiedDays,
  }
  const from = { ...seal, file: join(sealed, seal.file) }
  sealed = join(folder, `sealed-${wanted}`)
  const target = await openSqlite({ file: made.file, stores: [ledgerStore] })
  const isNew = (await openSeals(target).list()).length === 0
  if (isNew) {
    const bytes = await timed('days repeated', made.calls, () =>
      repeatDay(target, sealed, from, { days: copiedDays, copies }),
    )
    console.log(`${bytesACall(bytes, made.calls)} sealed`)
  }
  if ((await openSums(target).list()).length === 0) {
    await timed('sums repeated', made.calls, () => repeatSums(target, sealed))
  }
  await target.close()
  if (isNew) {
    const day = { day: seal.day, days: copiedDays, copies }
    await timed('hours and rollups repeated', made.calls, async () =>
      repeatHours({ source: file, target: made.file }, day),
    )
  }
  return made
}

function bytesACall(bytes: number, calls: number): string {
  return `${Math.round(bytes / calls)} bytes a call`
}
