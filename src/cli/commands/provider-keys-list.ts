import type { CliCommand } from '../command.ts'

/** `octroi provider-keys list`: which vendors’ keys are stored. */
export const command: CliCommand = {
  name: 'provider-keys list',
  summary: 'List the stored keys of vendors: whose, how they end, since when',
  configure: (parser) => {
    parser
      .option('--json', 'for machines')
      .option('--data <folder>', 'where ledger and keys are kept', 'octroi-data')
  },
  run: async ({ options }, io) => {
    const [{ withProviderKeys }, { formatJson }, { formatTable }] = await Promise.all([
      import('../provider-keys.ts'),
      import('../json.ts'),
      import('../table.ts'),
    ])
    const keys = await withProviderKeys(String(options['data']), io, (store) => store.list())
    if (options['json'] === true) {
      io.out(`${formatJson({ schema: 'octroi-provider-keys/1', keys })}\n`)
      return 0
    }
    const titles = ['provider', 'ends in', 'set at'].map((title) => ({ title }))
    const rows = keys.map(({ upstream, ends, setAt }) => [upstream, ends, setAt])
    io.out(rows.length === 0 ? 'No key is stored.\n' : formatTable(titles, rows, { color: io.color }))
    return 0
  },
}
