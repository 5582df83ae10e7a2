import type { AllocationReport } from '../../reports/allocation.ts'
import type { Conversion } from '../../reports/currency.ts'
import type { CliCommand } from '../command.ts'

/** `octroi report allocation`: who bears what. Exit code 4 when something had no price, or no exchange rate. */
export const command: CliCommand = {
  name: 'report allocation',
  summary: 'Split what was spent over cost centres, by rules',
  configure: (parser) => {
    parser
      .option('--ledger <file>', 'the ledger to read', 'octroi-data/ledger.sqlite')
      .option('--rules <file>', 'the allocation rules')
      .option('--config <file>', 'the configuration of a gateway with the rules in it, in place of --rules')
      .option('--from <instant>', 'from this hour on')
      .option('--to <instant>', 'up to but not including this hour')
      .option('--currency <code>', 'convert into this currency, by --rates')
      .option('--rates <file>', 'exchange rates by day: JSON, or CSV with one day a line')
      .option('--rate-age <days>', 'how old a rate may be: 7 unless said')
      .option('--json', 'for machines')
  },
  run: async ({ options }, io) => {
    const [
      { readPeriod, withLedger },
      { readRulesAsked },
      { readAllocation },
      { noRateLine, readConverter },
    ] = await Promise.all([
      import('../reports.ts'),
      import('../allocation-rules.ts'),
      import('../../gateway/reporting/allocation.ts'),
      import('../currency-rates.ts'),
    ])
    const { sealedFolderOf } = await import('../../ledger/sealed/sealing.ts')
    const sealed = sealedFolderOf(String(options['ledger']))
    const period = readPeriod(options)
    const [rules, converter] = [await readRulesAsked(options), await readConverter(options)]
    const report = await withLedger(options, (database) =>
      readAllocation(database, rules, { ...period, sealed, ...(converter !== null && { converter }) }),
    )
    const conversion = converter?.result() ?? null
    io.out(
      options['json'] === true
        ? await toJson(report, conversion)
        : (await import('../allocation-table.ts')).allocationTable(report, { color: io.color }),
    )
    const noRate = conversion === null ? null : noRateLine(conversion)
    if (noRate !== null) io.err(noRate)
    if (report.unpriced.length > 0) {
      io.err(`octroi: ${report.unpriced.join(', ')} has no price in places; the cost leaves it out.\n`)
    }
    return noRate !== null || report.unpriced.length > 0 ? 4 : 0
  },
}

const toJson = async (report: AllocationReport, conversion: Conversion | null): Promise<string> => {
  const [{ formatJson }, { allocationJson }] = await Promise.all([
    import('../json.ts'),
    import('../../reports/allocation-json.ts'),
  ])
  return `${formatJson(allocationJson(report, conversion))}\n`
}
