import type { SpendReport } from '../../reports/spend.ts'
import type { CliCommand } from '../command.ts'

/** `octroi report spend`: who spent what. Exit code 4 when something had no price, or no exchange rate. */
export const command: CliCommand = {
  name: 'report spend',
  summary: 'Say who spent what, from the ledger',
  configure: (parser) => {
    parser
      .option('--ledger <file>', 'the ledger to read', 'octroi-data/ledger.sqlite')
      .option('--by <names>', 'what to group by, comma between; tag:NAME for a tag', 'team,model')
      .option('--where <filter>', 'only this: team=search,model=gpt-*')
      .option('--from <instant>', 'from this hour or day on')
      .option('--to <instant>', 'up to but not including this hour or day')
      .option('--zone <name>', 'the zone whose days count: Europe/Paris; UTC unless said')
      .option('--top <count>', 'only the largest groups, and the others as one')
      .option('--compare <period>', '"previous": against the period before, by price, volume and mix')
      .option('--currency <code>', 'convert into this currency, by --rates')
      .option('--rates <file>', 'exchange rates by day: JSON, or CSV with one day a line')
      .option('--rate-age <days>', 'how old a rate may be: 7 unless said')
      .option('--json', 'for machines')
  },
  run: async ({ options }, io) => {
    const [{ askReport }, { spendRoute }, { noRateLine, openConversion }] = await Promise.all([
      import('../reports.ts'),
      import('../../gateway/reporting/spend.ts'),
      import('../currency-rates.ts'),
    ])
    const { route, conversion } = await openConversion(spendRoute, options)
    const report = await askReport(route, options, (percent) => io.bar?.(`${Math.floor(percent)} % read`))
    io.bar?.('')
    io.out(
      options['json'] === true
        ? `${(await import('../json.ts')).formatJson(route.json(report))}\n`
        : await toTable(report, io.color),
    )
    const converted = conversion()
    const noRate = converted === null ? null : noRateLine(converted)
    if (noRate !== null) io.err(noRate)
    const unpricedMeters = [...new Set(report.totals.flatMap((total) => total.unpricedMeters))]
    if (unpricedMeters.length === 0) return noRate === null ? 0 : 4
    const unpriced = report.totals.reduce((sum, total) => sum + (total.unpriced ?? 0), 0)
    const what = unpriced === 0 ? unpricedMeters.join(', ') : `${unpriced} of the calls used something that`
    io.err(`octroi: ${what} has no price; the cost leaves it out.\n`)
    return 4
  },
}

const toTable = async (report: SpendReport, color: boolean): Promise<string> => {
  if (report.groups.length === 0) return 'Nothing was spent in this period.\n'
  const { spendTable } = await import('../spend-table.ts')
  return spendTable(report, { color })
}
