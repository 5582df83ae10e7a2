import type { CliCommand } from '../command.ts'

/** `octroi ledger backup`: the ledger as it stands now, in one file. */
export const command: CliCommand = {
  name: 'ledger backup',
  summary: 'Copy ledger and keys into a file, also while a gateway writes them',
  configure: (parser) => {
    parser
      .argument('<file>', 'where to put the copy; its pepper goes to <file>.pepper')
      .option('--data <folder>', 'where ledger and keys are kept', 'octroi-data')
      .option('--force', 'replace what is there')
      .option('--json', 'for machines')
  },
  run: async ({ args, options }, io) => {
    const { backupLedger } = await import('../ledger-copies.ts')
    return backupLedger(args[0] ?? '', options, io)
  },
}
