import type { CliCommand } from '../command.ts'

/** `octroi ledger seal`: days that are over go into columnar files with a hash. */
export const command: CliCommand = {
  name: 'ledger seal',
  summary: 'Seal days that are over into columnar files',
  configure: (parser) => {
    parser
      .option('--until <day>', 'the last day to seal, as 2023-11-15: all that are ready unless said')
      .option('--after-hours <hours>', 'how long after its end a day is ready', '48')
      .option('--data <folder>', 'where ledger and keys are kept', 'octroi-data')
      .option('--sealed <folder>', 'where sealed days are kept: sealed in the data folder unless said')
      .option('--clock <instant>', 'when it is sealed: now unless said')
      .option('--json', 'for machines')
  },
  run: async ({ options }, io) => {
    const { runSeal } = await import('../sealed-days.ts')
    return runSeal(options, io)
  },
}
