import type { CliCommand } from '../command.ts'

/** `octroi keys revoke`: a key that opens nothing from now on. */
export const command: CliCommand = {
  name: 'keys revoke',
  summary: 'Revoke an Octroi key at once',
  configure: (parser) => {
    parser
      .argument('<key>', 'its id, as listed: key_...')
      .option('--data <folder>', 'where ledger and keys are kept', 'octroi-data')
      .option('--json', 'for machines')
  },
  run: async ({ args, options }, io) => {
    const [{ withKeys }, { sayChanged }] = await Promise.all([
      import('../keys.ts'),
      import('../key-answers.ts'),
    ])
    const key = await withKeys(String(options['data']), (keys) => keys.revoke(args[0] ?? ''))
    return sayChanged({ key, said: `key ${key.id} is revoked since ${key.revokedAt}` }, options, io)
  },
}
