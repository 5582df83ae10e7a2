import type { CliCommand } from '../command.ts'

/** `octroi ledger restore`: a backup in the place of the ledger, when it agrees with its entries. */
export const command: CliCommand = {
  name: 'ledger restore',
  summary: 'Verify a backup and put it in the place of the ledger',
  configure: (parser) => {
    parser
      .argument('<file>', 'the copy that ledger backup made')
      .option('--pepper <file>', 'the pepper of the copy: <file>.pepper by default')
      .option('--data <folder>', 'where ledger and keys are to be kept', 'octroi-data')
      .option('--force', 'replace the ledger that is there; it is kept as ledger.sqlite.replaced')
      .option('--json', 'for machines')
  },
  run: async ({ args, options }, io) => {
    const { restoreLedger } = await import('../ledger-copies.ts')
    return restoreLedger(args[0] ?? '', options, io)
  },
}
