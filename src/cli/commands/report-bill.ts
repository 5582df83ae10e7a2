import type { BillReport } from '../../reports/bill.ts'
import type { CliCommand, Io } from '../command.ts'

/** `octroi report bill`: a period as one bill, as a table, a page of HTML or JSON. Exit code 4 when something had no
 * price. */
export const command: CliCommand = {
  name: 'report bill',
  summary: 'Write what a period came to as a bill: a table, a page of HTML, JSON',
  configure: (parser) => {
    parser
      .option('--ledger <file>', 'the ledger to read', ledgerFile)
      .option('--month <month>', 'the month, as 2026-10; without a period, the one that runs')
      .option('--from <instant>', 'from this hour or day on, in place of a month')
      .option('--to <instant>', 'up to but not including this hour or day')
      .option('--zone <name>', 'the zone whose days count: Europe/Paris; UTC unless said')
      .option('--by <name>', 'who it is by: team unless said; tag:NAME for a tag')
      .option('--where <filter>', 'only this: team=search,model=gpt-*')
      .option('--top <count>', 'how many groups a list names: 10 unless said; the others are one')
      .option('--html <file>', 'write the bill as one page of HTML, - for standard output')
      .option('--language <code>', 'the language of the page: en or fr')
      .option('--json', 'for machines')
  },
  run: async ({ options }, io) => {
    const [{ OctroiError }, { askReport }, { billRoute }] = await Promise.all([
      import('../../errors.ts'),
      import('../reports.ts'),
      import('../../gateway/reporting/bill.ts'),
    ])
    const isPage = options['html'] !== undefined
    if (isPage && options['json'] === true) {
      throw new OctroiError('bad_input', 'Say --html or --json: a bill is written as one of them.')
    }
    const answered = await askReport(billRoute, options)
    const { bill, language } = answered
    if (isPage) {
      const { billPage } = await import('../../reports/bill/page.ts')
      const file = String(options['ledger'])
      const page = billPage(bill, { language, ledger: file === ledgerFile ? null : file })
      await written(String(options['html']), page, io)
    } else if (options['json'] === true) {
      io.out(`${(await import('../json.ts')).formatJson(billRoute.json(answered))}\n`)
    } else io.out((await import('../bill-table.ts')).billTable(bill, { color: io.color }))
    return unpricedExit(bill, io)
  },
}

const ledgerFile = 'octroi-data/ledger.sqlite'

const written = async (file: string, page: string, io: Io): Promise<void> => {
  if (file === '-') return io.out(page)
  const { writeFile } = await import('node:fs/promises')
  await writeFile(file, page)
  io.err(`octroi: the bill is in ${file}.\n`)
}

const unpricedExit = ({ total }: BillReport, io: Io): number => {
  const meters = [...new Set(total.totals.flatMap(({ unpricedMeters }) => unpricedMeters))]
  if (meters.length === 0) return 0
  io.err(`octroi: ${meters.join(', ')} has no price in places; the bill leaves it out.\n`)
  return 4
}
