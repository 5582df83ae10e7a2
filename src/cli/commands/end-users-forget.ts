import type { CliCommand } from '../command.ts'

/** `octroi end-users forget`: nothing leads any more from an end user to what stands in the ledger. */
export const command: CliCommand = {
  name: 'end-users forget',
  summary: 'Delete what leads from an end user to its pseudonym in the ledger',
  configure: (parser) => {
    parser
      .argument('<name>', 'the end user as applications name it')
      .option('--data <folder>', 'where ledger and keys are kept', 'octroi-data')
      .option('--json', 'for machines')
  },
  run: async ({ args, options }, io) => {
    const [{ withEndUsers }, { formatJson }] = await Promise.all([
      import('../end-users.ts'),
      import('../json.ts'),
    ])
    const forgotten = await withEndUsers(String(options['data']), (users) =>
      users.forgetEndUser(args[0] ?? ''),
    )
    if (options['json'] === true) io.out(`${formatJson({ forgotten })}\n`)
    else io.err(`octroi: ${forgotten ? 'forgotten' : 'nothing to forget: this end user is not known'}\n`)
    return 0
  },
}
