import type { CliCommand } from '../command.ts'

/** `octroi import`: what vendors and other gateways report becomes part of the ledger. Exit code 4 when something had
 * no price. */
export const command: CliCommand = {
  name: 'import',
  summary: 'Import what a vendor reports: usage as spend, bills as evidence',
  configure: (parser) => {
    parser
      .argument(
        '<importer>',
        'openai-usage, openai-costs, anthropic-usage, anthropic-costs, openrouter-activity, litellm-spend-logs, focus or csv',
      )
      .option('--file <file>', 'a file, or - for standard input; without it the vendor is asked')
      .option('--from <instant>', 'from this hour on')
      .option('--to <instant>', 'up to but not including this hour')
      .option('--account <name>', 'the account at the vendor, as you call it')
      .option('--provider <name>', 'whose calls they are in the ledger: the vendor unless said')
      .option('--map <file>', "whose the vendor's projects, workspaces and keys are, as JSON")
      .option('--mapping <file>', 'for csv: which column is what, as JSON')
      .option('--cost <which>', 'for focus: billed or effective', 'billed')
      .option('--separator <character>', 'between columns: found out unless said')
      .option('--repeated-rows <what>', 'rows that are there twice: refuse or skip', 'refuse')
      .option('--base-url <url>', 'where the vendor is asked')
      .option('--key-variable <name>', 'where the admin key stands in the environment')
      .option('--width <width>', 'how long a bucket of usage is: 1d, 1h or 1m', '1d')
      .option('--page-size <buckets>', 'buckets a page: as many as the vendor gives unless said')
      .option('--route <names>', 'only these routes, comma between')
      .option('--data <folder>', 'where ledger and keys are kept', 'octroi-data')
      .option(
        '--prices <folder>',
        'the folder with your own price files: prices in the data folder unless said',
      )
      .option('--clock <instant>', 'when it is imported: now unless said')
      .option('--dry-run', 'write nothing, and say what would be written')
      .option('--json', 'for machines')
  },
  run: async ({ args, options }, io) => {
    const [{ runImport }, { formatImport, formatImportJson, unpricedLines }, { readPeriod }, { clockFrom }] =
      await Promise.all([
        import('../import.ts'),
        import('../import-table.ts'),
        import('../reports.ts'),
        import('../clock.ts'),
      ])
    const text = (name: string): string | undefined =>
      options[name] === undefined ? undefined : String(options[name])
    const result = await runImport(
      {
        importer: args[0] ?? '',
        file: text('file'),
        period: readPeriod(options),
        account: text('account'),
        provider: text('provider'),
        mapping: text('mapping'),
        owners: text('map'),
        cost: String(options['cost']),
        separator: text('separator'),
        repeatedRows: String(options['repeatedRows']),
        baseUrl: text('baseUrl'),
        keyVariable: text('keyVariable'),
        width: String(options['width']),
        pageSize: text('pageSize'),
        routes: text('route'),
        data: String(options['data']),
        prices: text('prices'),
        at: clockFrom(text('clock')).now(),
        isDryRun: options['dryRun'] === true,
      },
      io,
    )
    io.out(options['json'] === true ? formatImportJson(result) : formatImport(result, { color: io.color }))
    if (!result.isWritten) io.err('octroi: nothing was written; without --dry-run it is.\n')
    const unpriced = unpricedLines(result)
    for (const line of unpriced) io.err(`octroi: no price: ${line}\n`)
    return unpriced.length > 0 ? 4 : 0
  },
}
