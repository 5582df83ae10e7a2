import type { CliCommand } from '../command.ts'

/** `octroi keys list`: the keys without their secrets. */
export const command: CliCommand = {
  name: 'keys list',
  summary: 'List the Octroi keys, without their secrets',
  configure: (parser) => {
    parser
      .option('--data <folder>', 'where ledger and keys are kept', 'octroi-data')
      .option('--json', 'for machines')
  },
  run: async ({ options }, io) => {
    const [{ withKeys }, { formatJson }, { formatTable }] = await Promise.all([
      import('../keys.ts'),
      import('../json.ts'),
      import('../table.ts'),
    ])
    const keys = await withKeys(String(options.data), (store) => store.list())
    if (options.json === true) {
      io.out(`${formatJson(keys)}\n`)
      return 0
    }
    const owners = ['key', 'name', 'organization', 'team', 'project', 'environment']
    const titles = [...owners, 'models', 'endpoints', 'unmetered', 'spool', 'created', 'expires', 'revoked']
    const rows = keys.map((key) =>
      [
        key.id,
        key.name,
        key.organization,
        key.team,
        key.project,
        key.environment,
        key.models?.join(', ') ?? null,
        key.endpoints?.join(', ') ?? null,
        key.allowUnmetered ? 'yes' : null,
        key.onLedgerFailure === 'refuse' ? null : key.onLedgerFailure.spool,
        key.createdAt,
        key.expiresAt,
        key.revokedAt,
      ].map((cell) => cell ?? ''),
    )
    io.out(
      formatTable(
        titles.map((title) => ({ title })),
        rows,
        { color: io.color },
      ),
    )
    return 0
  },
}
