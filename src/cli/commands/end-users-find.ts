import type { CliCommand } from '../command.ts'

/** `octroi end-users find`: the pseudonym under which an end user stands in reports. Exit code 1 where there is none. */
export const command: CliCommand = {
  name: 'end-users find',
  summary: 'Say under which pseudonym an end user stands in the ledger',
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
    const pseudonym = await withEndUsers(String(options['data']), (users) => users.findEndUser(args[0] ?? ''))
    if (options['json'] === true) io.out(`${formatJson({ pseudonym })}\n`)
    else if (pseudonym !== null) io.out(`${pseudonym}\n`)
    else io.err('octroi: this end user is not known, or was forgotten\n')
    return pseudonym === null ? 1 : 0
  },
}
