import type { CliCommand } from '../command.ts'

/** `octroi period list`: which periods are closed, at what, and what was corrected since. */
export const command: CliCommand = {
  name: 'period list',
  summary: 'List closed periods, and what was corrected in them since',
  configure: (parser) => {
    parser
      .option('--provider <name>', 'only the bills of this vendor')
      .option('--ledger <file>', 'the ledger to read', 'octroi-data/ledger.sqlite')
      .option('--json', 'for machines')
  },
  run: async ({ options }, io) => {
    const [{ listPeriods }, { formatJson }, { closedJson }, { closedTable }] = await Promise.all([
      import('../reconcile-periods.ts'),
      import('../json.ts'),
      import('../../reports/reconciliation-json.ts'),
      import('../reconcile-bill-table.ts'),
    ])
    const provider = options['provider'] === undefined ? null : String(options['provider'])
    const closed = await listPeriods(options, provider)
    io.out(
      options['json'] === true
        ? `${formatJson({ schema: 'octroi-period-list/1', periods: closed.map(closedJson) })}\n`
        : closedTable(closed, { color: io.color }),
    )
    return 0
  },
}
