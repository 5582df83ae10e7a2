import { readAsked } from '../../src/gateway/reporting/asked.ts'
import { spendRoute } from '../../src/gateway/reporting/spend.ts'
import { openSqlite } from '../../src/ledger/databases/sqlite.ts'
import { ledgerStore } from '../../src/ledger/ledger.ts'
import type { GroupsAsked } from '../../src/ledger/sealed/grouping.ts'
import { groupDetail } from '../../src/ledger/sealed/groups.ts'

/** What is asked: groups of all detail, or a report of spend by the texts of its parameters. */
export type Question =
  | { readonly detail: GroupsAsked }
  | { readonly report: Readonly<Record<string, string>> }

/** One question in a process of its own, so that its memory is its own: prints milliseconds, the most memory it had in
 * bytes, how many groups there were and what they sum to. Asked as JSON by `bench/reports.ts`. */
const { file, folder, asked }: { file: string; folder: string; asked: Question } = JSON.parse(
  process.argv[2] ?? '{}',
)
const database = await openSqlite({ file, stores: [ledgerStore], readOnly: true })
const start = performance.now()
const source = { database, sealed: folder, clock: { now: () => 0 } }
const groups =
  'detail' in asked
    ? await groupDetail({ database, folder }, asked.detail)
    : (await spendRoute.read(source, readAsked(spendRoute.asked, asked.report))).groups
const ms = performance.now() - start
await database.close()
const total = groups.reduce((sum, { amount }) => sum + amount, 0n)
const calls = groups.reduce((sum, group) => sum + Number(group.calls), 0)
console.log(
  JSON.stringify({
    ms,
    bytes: process.resourceUsage().maxRSS * 1_024,
    groups: groups.length,
    total: `${total}`,
    calls: `${calls}`,
  }),
)
