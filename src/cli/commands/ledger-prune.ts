import type { CliCommand } from '../command.ts'

/** `octroi ledger prune`: calls of sealed days leave the ledger's own file. */
export const command: CliCommand = {
  name: 'ledger prune',
  summary: 'Leave the calls of older sealed days to their files',
  configure: (parser) => {
    parser
      .requiredOption('--keep-days <days>', 'days whose calls stay in the ledger itself')
      .option('--keep-sealed-days <days>', 'give up files of days that are older: then only sums are left')
      .option('--data <folder>', 'where ledger and keys are kept', 'octroi-data')
      .option('--sealed <folder>', 'where sealed days are kept: sealed in the data folder unless said')
      .option('--clock <instant>', 'when it is done: now unless said')
      .option('--json', 'for machines')
  },
  run: async ({ options }, io) => {
    const { runPrune } = await import('../sealed-days.ts')
    return runPrune(options, io)
  },
}
