import type { CliCommand } from '../command.ts'

/** `octroi period close`: what the ledger has of a bill is said once and for all; later corrections stand beside it.
 * Exit code 4 when reconciliation leaves a gap that nothing explains. */
export const command: CliCommand = {
  name: 'period close',
  summary: "Close a period of a vendor's bill, once every difference is explained",
  configure: (parser) => {
    parser
      .requiredOption('--provider <name>', 'whose bill')
      .requiredOption('--from <day>', 'from this day (UTC) on')
      .requiredOption('--to <day>', 'up to but not including this day')
      .option('--accept-gap <reason>', 'close it though a difference is not explained, and note why')
      .option('--data <folder>', 'where ledger and keys are kept', 'octroi-data')
      .option('--prices <folder>', 'the folder with your own price files')
      .option('--clock <instant>', 'when it is closed: now unless said')
      .option('--json', 'for machines')
  },
  run: async ({ options }, io) => {
    const [{ closePeriod }, { clockFrom }, { formatJson }] = await Promise.all([
      import('../reconcile-periods.ts'),
      import('../clock.ts'),
      import('../json.ts'),
    ])
    const text = (name: string): string | null => (options[name] === undefined ? null : String(options[name]))
    const { period } = await closePeriod({
      folder: String(options['data']),
      prices: text('prices') ?? undefined,
      clock: clockFrom(text('clock') ?? undefined),
      request: {
        ...{
          provider: String(options['provider']),
          from: String(options['from']),
          to: String(options['to']),
        },
        acceptGap: text('acceptGap'),
      },
    })
    if (options['json'] === true) {
      io.out(`${formatJson({ schema: 'octroi-period-close/1', period })}\n`)
      return 0
    }
    const totals = period.totals.map(({ currency, closed }) => `${closed} ${currency}`).join(' and ')
    const what = `The bill of ${period.provider ?? 'all providers'} from ${period.from.slice(0, 10)} to ${period.to.slice(0, 10)}`
    io.out(`${what} is closed at ${totals === '' ? 'nothing' : totals}.\n`)
    return 0
  },
}
