import type { CliCommand } from '../command.ts'

/** `octroi keys revoke`: a key that opens nothing from now on. */
export const command: CliCommand = {
  name: 'keys revoke',
  summary: 'Revoke an Octroi key at once',
  configure: (parser) => {
    parser
      .argument('<key>', 'its id, as listed: key_...')
      .option('--data <folder>', 'where ledger and keys are kept', 'octroi-data')
  },
  run: async ({ args, options }, io) => {
    const { withKeys } = await import('../keys.ts')
    const key = await withKeys(String(options.data), (keys) => keys.revoke(args[0] ?? ''))
    io.err(`octroi: key ${key.id} is revoked since ${key.revokedAt}\n`)
    return 0
  },
}
