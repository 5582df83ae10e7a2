import { readAsked } from '../../src/gateway/reporting/asked.ts'
import { spendRoute } from '../../src/gateway/reporting/spend.ts'
import { openSqlite } from '../../src/ledger/databases/sqlite.ts'
import { ledgerStore } from '../../src/ledger/ledger.ts'
import type { GroupsAsked } from '../../src/ledger/sealed/grouping.ts'
import { groupDetail, groupFacts } from '../../src/ledger/sealed/groups.ts'

/** What is asked: groups of all detail, the 20 largest of them, or a report of spend by the texts of its parameters. */
export type Question =
  | { readonly detail: GroupsAsked }
  | { readonly largest: GroupsAsked }
  | { readonly report: Readonly<Record<string, string>> }

/** One question in a process of its own, so that its memory is its own: prints milliseconds, the most memory it had in
 * bytes, how many groups there were and what they sum to. Asked as JSON by `bench/reports.ts`. */
const { file, folder, asked }: { file: string; folder: string; asked: Question } = JSON.parse(
  process.argv[2] ?? '{}',
)
type Sum = { readonly amount: bigint; readonly calls: bigint | number | null }

const groupsOf = async (): Promise<readonly Sum[]> => {
  if ('detail' in asked) return groupDetail({ database, folder }, asked.detail)
  if ('largest' in asked) {
    return (await groupFacts({ database, folder }, { ...asked.largest, top: 20, kinds: ['calls'] })).facts
  }
  const { groups, others } = await spendRoute.read(source, readAsked(spendRoute.asked, asked.report))
  return [...groups, ...others]
}

const database = await openSqlite({ file, stores: [ledgerStore], readOnly: true })
const start = performance.now()
const source = { database, sealed: folder, clock: { now: () => 0 } }
const groups = await groupsOf()
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
