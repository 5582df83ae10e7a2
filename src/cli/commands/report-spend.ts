import type { SpendDimension, SpendGroup, SpendReport } from '../../reports/spend.ts'
import type { CliCommand } from '../command.ts'

/** `octroi report spend`: who spent what. Exit code 4 when something had no price. */
export const command: CliCommand = {
  name: 'report spend',
  summary: 'Say who spent what, from the ledger',
  configure: (parser) => {
    parser
      .option('--ledger <file>', 'the ledger to read', 'octroi-data/ledger.sqlite')
      .option('--by <names>', 'what to group by, comma between', 'team,model')
      .option('--from <instant>', 'from this hour on')
      .option('--to <instant>', 'up to but not including this hour')
      .option('--json', 'for machines')
  },
  run: async ({ options }, io) => {
    const [{ boundsOf, readPeriod, withLedger }, { readSpend }, { spend }, { readPromotions }] =
      await Promise.all([
        import('../reports.ts'),
        import('../../ledger/reading.ts'),
        import('../../reports/spend.ts'),
        import('../promotion-readings.ts'),
      ])
    const by = await readDimensions(String(options['by']))
    const period = readPeriod(options)
    const { rows, promotions } = await withLedger(options, async (database) => ({
      rows: await readSpend(database, boundsOf(period)),
      promotions: await readPromotions(database, boundsOf(period)),
    }))
    const report = spend(rows, { by, ...period, promotions })
    io.out(options['json'] === true ? await toJson(report) : await toTable(report, io.color))
    if (!rows.some((row) => row.meter !== null && !row.priced)) return 0
    const unpriced = rows.reduce((sum, row) => sum + (row.meter === null ? row.unpriced : 0), 0)
    const what = unpriced === 0 ? 'what accrued' : `${unpriced} of the calls used something that`
    io.err(`octroi: ${what} has no price; the cost leaves it out.\n`)
    return 4
  },
}

const readDimensions = async (written: string): Promise<readonly SpendDimension[]> => {
  const [{ OctroiError }, { spendDimensions }] = await Promise.all([
    import('../../errors.ts'),
    import('../../reports/spend.ts'),
  ])
  const isDimension = (name: string): name is SpendDimension => Object.hasOwn(spendDimensions, name)
  const names = written.split(',').map((name) => name.trim())
  const wrong = names.find((name, index) => !isDimension(name) || names.indexOf(name) !== index)
  if (wrong !== undefined) {
    const known = Object.keys(spendDimensions).join(', ')
    throw new OctroiError('bad_input', `--by cannot be "${wrong}". Name each at most once, from: ${known}.`)
  }
  return names.filter(isDimension)
}

const toJson = async (report: SpendReport): Promise<string> => {
  const [{ formatJson }, { periodJson, shareJson }, { formatPicos }, { format }] = await Promise.all([
    import('../json.ts'),
    import('../reports.ts'),
    import('../../money/money.ts'),
    import('../../money/rational.ts'),
  ])
  const line = (
    { names, quantity, amount, list, share, basis, resent, ...rest }: SpendGroup,
    isTotal: boolean,
  ) => ({
    ...(isTotal ? {} : Object.fromEntries(report.by.map((dimension, index) => [dimension, names[index]]))),
    ...rest,
    quantity: quantity === null ? null : { amount: format(quantity.amount), unit: quantity.unit },
    amount: formatPicos(amount),
    list: formatPicos(list),
    share: shareJson(share),
    basis: Object.fromEntries(Object.entries(basis).map(([name, part]) => [name, formatPicos(part)])),
    resent:
      resent === null
        ? null
        : { tokens: resent.tokens, amount: formatPicos(resent.amount), share: shareJson(resent.share) },
  })
  return `${formatJson({
    schema: 'octroi-report-spend/1',
    by: report.by,
    ...periodJson(report),
    groups: report.groups.map((each) => line(each, false)),
    totals: report.totals.map((each) => line(each, true)),
  })}\n`
}

const toTable = async (report: SpendReport, color: boolean): Promise<string> => {
  if (report.groups.length === 0) return 'Nothing was spent in this period.\n'
  const { spendTable } = await import('../spend-table.ts')
  return spendTable(report, { color })
}
