import type { CliCommand } from '../command.ts'
import { keyOptions } from '../key-options.ts'

/** `octroi keys update`: what is named of a key changes, the rest stays. */
export const command: CliCommand = {
  name: 'keys update',
  summary: 'Change whom an Octroi key belongs to, or what it may do',
  configure: (parser) => {
    parser.argument('<key>', 'its id, as listed: key_...')
    keyOptions(parser)
  },
  run: async ({ args, options }, io) => {
    const [{ withKeys }, { keyBody }, { sayChanged }] = await Promise.all([
      import('../keys.ts'),
      import('../key-options.ts'),
      import('../key-answers.ts'),
    ])
    const body = keyBody(options)
    const key = await withKeys(String(options['data']), (keys) => keys.update(args[0] ?? '', body))
    return sayChanged(
      { key, said: `key ${key.id} changed: ${Object.keys(body).join(', ') || 'nothing'}` },
      options,
      io,
    )
  },
}
