import type { CliCommand } from '../command.ts'

/** `octroi apply`: keys, limits and rules as one file says them. */
export const command: CliCommand = {
  name: 'apply',
  summary: 'Make keys, limits and rules those of a policy file, after showing what changes',
  configure: (parser) => {
    parser
      .argument(
        '<policy>',
        'a file with "keys", "limits", "historyCaps" and "unmetered", as far as it decides them',
      )
      .option('--plan', 'say what would change, and change nothing')
      .option('--config <file>', 'the configuration in which limits and rules stand')
      .option('--data <folder>', 'where ledger and keys are kept', 'octroi-data')
      .option('--json', 'for machines')
  },
  run: async ({ args, options }, io) => {
    const { applyPolicy } = await import('../apply.ts')
    return applyPolicy(args[0] ?? '', options, io)
  },
}
