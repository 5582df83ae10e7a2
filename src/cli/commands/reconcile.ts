import type { CliCommand } from '../command.ts'

/** `octroi reconcile`: the ledger against the vendor's bill. Exit code 4 when a difference is left that nothing
 * explains, or there is no bill. */
export const command: CliCommand = {
  name: 'reconcile',
  summary: "Hold the ledger against the vendor's bill, and explain every difference",
  configure: (parser) => {
    parser
      .option('--provider <name>', 'whose bill', 'openai')
      .option('--account <name>', 'one account, as it was imported; all unless said')
      .option('--from <day>', 'from this day (UTC) on: the month before this one unless said')
      .option('--to <day>', 'up to but not including this day')
      .option('--rates <file>', 'exchange rates by day, for lines in another currency')
      .option('--ledger <file>', 'the ledger to read', 'octroi-data/ledger.sqlite')
      .option('--prices <folder>', 'the folder with your own price files')
      .option('--clock <instant>', 'when it is asked: now unless said')
      .option('--json', 'for machines')
  },
  run: async ({ options }, io) => {
    const [{ reconcileBill }, { clockFrom }] = await Promise.all([
      import('../reconcile-bill.ts'),
      import('../clock.ts'),
    ])
    const clock = options['clock'] === undefined ? undefined : String(options['clock'])
    const report = await reconcileBill(options, clockFrom(clock).now())
    if (options['json'] === true) {
      const [{ formatJson }, { reconciliationJson }] = await Promise.all([
        import('../json.ts'),
        import('../../reports/reconciliation-json.ts'),
      ])
      io.out(`${formatJson(reconciliationJson(report))}\n`)
    } else {
      const { reconciliationTable } = await import('../reconcile-bill-table.ts')
      io.out(reconciliationTable(report, { color: io.color }))
    }
    if (report.isExplained) return 0
    const unknown = report.cells.filter(({ kind }) => kind === 'unknown').length
    const what = unknown === 1 ? '1 difference is' : `${unknown} differences are`
    io.err(
      report.billLines === 0
        ? 'octroi: import the bill first: octroi import.\n'
        : `octroi: ${what} not explained.\n`,
    )
    return 4
  },
}
