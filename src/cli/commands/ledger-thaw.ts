import type { CliCommand } from '../command.ts'

/** `octroi ledger thaw`: calls that only sealed files have come back, so that they can be corrected. */
export const command: CliCommand = {
  name: 'ledger thaw',
  summary: 'Put the calls of sealed days back into the ledger, to correct them',
  configure: (parser) => {
    parser
      .requiredOption('--from <day>', 'the first day, as 2023-11-15')
      .option('--to <day>', 'the last day: the first unless said')
      .option('--data <folder>', 'where ledger and keys are kept', 'octroi-data')
      .option('--sealed <folder>', 'where sealed days are kept: sealed in the data folder unless said')
  },
  run: async ({ options }, io) => {
    const { runThaw } = await import('../sealed-days.ts')
    return runThaw(options, io)
  },
}
