import type { CliCommand } from '../command.ts'
import { keyOptions } from '../key-options.ts'

/** `octroi keys create`: a new key, shown once. */
export const command: CliCommand = {
  name: 'keys create',
  summary: 'Create an Octroi key for a team or application; its secret is shown once',
  configure: keyOptions,
  run: async ({ options }, io) => {
    const [{ withKeys }, { keyBody }, { sayCreated }] = await Promise.all([
      import('../keys.ts'),
      import('../key-options.ts'),
      import('../key-answers.ts'),
    ])
    const created = await withKeys(String(options['data']), (keys) => keys.create(keyBody(options)))
    return sayCreated({ created, said: `key ${created.key.id} created` }, options, io)
  },
}
