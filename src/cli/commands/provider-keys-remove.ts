import type { CliCommand } from '../command.ts'

/** `octroi provider-keys remove`: forgets a vendor’s key. */
export const command: CliCommand = {
  name: 'provider-keys remove',
  summary: 'Forget a stored key of a vendor',
  configure: (parser) => {
    parser
      .argument('<provider>', 'its name in the configuration')
      .option('--data <folder>', 'where ledger and keys are kept', 'octroi-data')
  },
  run: async ({ args, options }, io) => {
    const { withProviderKeys } = await import('../provider-keys.ts')
    const [name = ''] = args
    await withProviderKeys(String(options['data']), io, (keys) => keys.remove(name))
    io.err(`octroi: the key of ${name} is gone\n`)
    return 0
  },
}
