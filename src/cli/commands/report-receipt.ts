import type { CliCommand } from '../command.ts'

/** `octroi report receipt`: every charge of a call or of a figure. Exit code 4 when something had no price. */
export const command: CliCommand = {
  name: 'report receipt',
  summary: 'List every charge of a call, or of a figure of a report',
  configure: (parser) => {
    parser
      .argument('[call]', 'the id of a call')
      .option('--ledger <file>', 'the ledger to read', 'octroi-data/ledger.sqlite')
      .option('--where <filter>', 'only this: team=search,model=gpt-*')
      .option('--from <instant>', 'from this instant or day on')
      .option('--to <instant>', 'up to but not including this instant or day')
      .option('--zone <name>', 'the zone whose days count: Europe/Paris; UTC unless said')
      .option('--limit <count>', 'how many lines a page has: 100 unless said')
      .option('--after <place>', 'the page after this line')
      .option('--json', 'for machines')
  },
  run: async ({ args: [call], options }, io) => {
    const [{ askReport }, { receiptRoute }] = await Promise.all([
      import('../reports.ts'),
      import('../../gateway/reporting/receipt.ts'),
    ])
    const receipt = await askReport(receiptRoute, call === undefined ? options : { ...options, call })
    if (options['json'] === true) {
      io.out(`${(await import('../json.ts')).formatJson(receiptRoute.json(receipt))}\n`)
    } else {
      const { receiptTable } = await import('../receipt-table.ts')
      io.out(receipt.count === 0 ? 'Nothing was charged.\n' : receiptTable(receipt, { color: io.color }))
      if (receipt.next !== null)
        io.err(`octroi: more lines follow; list them with --after ${receipt.next}.\n`)
    }
    const unpriced = receipt.totals.reduce((sum, total) => sum + total.unpriced, 0)
    if (unpriced === 0) return 0
    io.err(`octroi: ${unpriced} of the lines have no price; the sum leaves them out.\n`)
    return 4
  },
}
