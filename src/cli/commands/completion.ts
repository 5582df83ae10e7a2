import type { CliCommand } from '../command.ts'

/** `octroi completion SHELL`: the script that completes its commands and options. */
export const command: CliCommand = {
  name: 'completion',
  summary: 'Print a script that completes commands and options, for bash, zsh or fish',
  configure: (parser) => {
    parser.argument('<SHELL>', 'bash, zsh or fish')
  },
  run: async ({ args, commands }, io) => {
    const [{ completionsOf, shells }, { OctroiError }] = await Promise.all([
      import('../completion.ts'),
      import('../../errors.ts'),
    ])
    const shell = Object.entries(shells).find(([name]) => name === args[0])
    if (shell === undefined) {
      const known = Object.keys(shells).join(', ')
      throw new OctroiError('bad_input', `There is no completion for "${args[0]}", only for ${known}.`)
    }
    io.out(shell[1](await completionsOf(commands)))
    return 0
  },
}
