import type { CliCommand } from '../command.ts'

/** `octroi limits test`: what other limits would have done about the calls of the ledger. Exit code 3 where they would
 * have refused one or made it wait. */
export const command: CliCommand = {
  name: 'limits test',
  summary: 'Try limits on the calls of the ledger, and show what they would have refused',
  configure: (parser) => {
    parser
      .argument('<policy>', 'a file with the limits: a list, or a configuration')
      .option('--ledger <file>', 'the ledger to read', 'octroi-data/ledger.sqlite')
      .option('--from <instant>', 'from this hour on')
      .option('--to <instant>', 'up to but not including this hour')
      .option('--json', 'for machines')
  },
  run: async ({ args, options }, io) => {
    const [{ readPolicy, testPolicy, replayJson, replayTable }, { readPeriod }, { formatJson }] =
      await Promise.all([import('../limits-test.ts'), import('../reports.ts'), import('../json.ts')])
    const limits = await readPolicy(String(args[0]))
    const period = readPeriod(options)
    const replay = await testPolicy(options, { limits, period })
    io.out(
      options['json'] === true
        ? `${formatJson(replayJson(replay, period))}\n`
        : replayTable(replay, io.color),
    )
    return replay.refused + replay.waited > 0 ? 3 : 0
  },
}
