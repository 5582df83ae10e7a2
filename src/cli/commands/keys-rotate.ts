import type { CliCommand } from '../command.ts'

/** `octroi keys rotate`: another secret for a key, which stays the same key. */
export const command: CliCommand = {
  name: 'keys rotate',
  summary: 'Give an Octroi key another secret; the old one opens for a while longer',
  configure: (parser) => {
    parser
      .argument('<key>', 'its id, as listed: key_...')
      .option('--grace <time>', 'how long the old secret still opens: 90s, 30m, 24h, 7d', '24h')
      .option('--data <folder>', 'where ledger and keys are kept', 'octroi-data')
      .option('--json', 'for machines')
  },
  run: async ({ args, options }, io) => {
    const [{ withKeys }, { secondsOf }, { sayCreated }] = await Promise.all([
      import('../keys.ts'),
      import('../key-options.ts'),
      import('../key-answers.ts'),
    ])
    const grace = String(options['grace'])
    const body = { graceSeconds: secondsOf(grace) }
    const created = await withKeys(String(options['data']), (keys) => keys.rotate(args[0] ?? '', body))
    const said = `key ${created.key.id} has a new secret; those it had open for ${grace} more`
    return sayCreated({ created, said }, options, io)
  },
}
