import type { CliCommand, Io } from '../command.ts'

/** `octroi reconcile runs`: what the vendor billed takes the place of what was estimated. Exit code 4 when a
 * difference is left that nothing explains, or an adjustment was not taken. */
export const command: CliCommand = {
  name: 'reconcile runs',
  summary: "Replace estimates of runs by what the vendor's usage report says was billed",
  configure: (parser) => {
    parser
      .requiredOption('--from <instant>', 'from this hour on')
      .requiredOption('--to <instant>', 'up to but not including this hour')
      .option('--usage <file>', 'the usage report as JSON: a page, or a list of its pages')
      .option('--provider <name>', 'whose calls they are', 'openai')
      .option('--base-url <url>', 'where to ask for the report', 'https://api.openai.com/v1')
      .option('--key-variable <name>', 'where the admin key stands', 'OPENAI_ADMIN_KEY')
      .option('--apply', 'write the adjustments; without it nothing is written')
      .option('--data <folder>', 'where ledger and keys are kept', 'octroi-data')
      .option(
        '--prices <folder>',
        'the folder with your own price files: prices in the data folder unless said',
      )
      .option('--clock <instant>', 'when the adjustments are made: now unless said')
      .option('--json', 'for machines')
  },
  run: async ({ options }, io) => {
    const [{ planReconciliation, thawReconciled, writeReconciliation }, table, { clockFrom }] =
      await Promise.all([
        import('../reconcile-runs.ts'),
        import('../reconcile-table.ts'),
        import('../clock.ts'),
      ])
    const text = (name: string): string | undefined =>
      options[name] === undefined ? undefined : String(options[name])
    const { from, to } = await readBounds(options)
    const [folder, provider] = [String(options['data']), String(options['provider'])]
    const result = await planReconciliation({
      ...{ folder, provider, from, to },
      prices: text('prices'),
      buckets: await readReport(options, { from, to }, io),
      at: clockFrom(text('clock')).now(),
    })
    const adjustments = result.reconciled.map(({ adjustment }) => adjustment)
    const isApplied = options['apply'] === true
    if (isApplied) await thawReconciled(folder, { from, to }, adjustments)
    const outcomes = isApplied ? await writeReconciliation(folder, adjustments) : null
    const shown = { result, provider, from, to, outcomes }
    io.out(
      options['json'] === true
        ? table.formatReconciliationJson(shown)
        : table.formatReconciliation(shown, { color: io.color }),
    )
    const taken = (outcomes ?? []).filter((outcome) => outcome === 'done' || outcome === 'repeated').length
    if (isApplied) io.err(`octroi: ${taken} of ${adjustments.length} adjustments are in the ledger.\n`)
    else io.err(`octroi: nothing was written. --apply writes ${adjustments.length} adjustments.\n`)
    return result.unexplained.length > 0 || (isApplied && taken < adjustments.length) ? 4 : 0
  },
}

type Options = Readonly<Record<string, unknown>>

const readBounds = async (options: Options) => {
  const { boundsOf, readPeriod } = await import('../reports.ts')
  return boundsOf(readPeriod(options))
}

const readReport = async (options: Options, period: { from: number; to: number }, io: Io) => {
  const [{ fetchUsage, readUsageFile }, { OctroiError }] = await Promise.all([
    import('../usage-report.ts'),
    import('../../errors.ts'),
  ])
  if (options['usage'] !== undefined) return readUsageFile(String(options['usage']))
  const variable = String(options['keyVariable'])
  const key = io.environment[variable]
  if (key === undefined || key === '') {
    throw new OctroiError(
      'missing_key',
      `The usage report is asked for with an admin key, and ${variable} is not set. Set it, or name a file with --usage.`,
    )
  }
  return fetchUsage({ ...period, key, baseUrl: String(options['baseUrl']), signal: io.signal })
}
