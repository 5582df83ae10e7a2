import type { CliCommand } from '../command.ts'

/** `octroi provider-keys rekey`: another master key for all of them. */
export const command: CliCommand = {
  name: 'provider-keys rekey',
  summary: 'Seal the stored keys of vendors with another master key',
  configure: (parser) => {
    parser.option('--data <folder>', 'where ledger and keys are kept', 'octroi-data')
  },
  run: async ({ options }, io) => {
    const { rekey } = await import('../provider-keys.ts')
    const keys = await rekey(String(options['data']), io)
    io.err(
      `octroi: ${keys} stored keys are sealed with OCTROI_NEW_MASTER_KEY; make it OCTROI_MASTER_KEY now\n`,
    )
    return 0
  },
}
