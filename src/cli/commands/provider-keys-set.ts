import type { CliCommand } from '../command.ts'

/** `octroi provider-keys set`: a vendor’s key, sealed on the disk. */
export const command: CliCommand = {
  name: 'provider-keys set',
  summary: 'Store a vendor’s key, sealed; it is read from standard input',
  configure: (parser) => {
    parser
      .argument('<provider>', 'its name in the configuration')
      .option('--data <folder>', 'where ledger and keys are kept', 'octroi-data')
  },
  run: async ({ args, options }, io) => {
    const { readSecret, withProviderKeys } = await import('../provider-keys.ts')
    const [name = ''] = args
    const key = await readSecret(io)
    await withProviderKeys(String(options['data']), io, (keys) => keys.set(name, key))
    io.err(`octroi: the key of ${name} is stored\n`)
    return 0
  },
}
