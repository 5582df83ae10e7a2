import type { CliCommand } from '../command.ts'

/** `octroi demo`: everything at once, offline. */
export const command: CliCommand = {
  name: 'demo',
  summary: 'Run gateway, sandbox and ledger with sample traffic, and print the bill',
  configure: (parser) => {
    parser
      .option('--fast', 'simulate a month on a clock that jumps, print its bill and stop')
      .option('--once', 'print the bill and stop')
      .option('--scenario <name>', 'replay this and stop: article-2023-11')
      .option('--port <port>', 'port of the gateway, 0 for any', '8787')
      .option('--sandbox-port <port>', 'port of the sandbox, 0 for any', '8790')
  },
  run: async ({ options }, io) => {
    if (options.scenario !== undefined) return (await scenarioOf(options))(io)
    const [{ demo }, { portOf }] = await Promise.all([import('../demo/demo.ts'), import('../serve.ts')])
    const fast = options.fast === true
    return demo(
      {
        fast,
        once: options.once === true,
        ports: {
          gateway: fast ? 0 : portOf(options.port, '--port'),
          sandbox: fast ? 0 : portOf(options.sandboxPort, '--sandbox-port'),
        },
      },
      io,
    )
  },
}

const scenarioOf = async ({ scenario, fast }: Readonly<Record<string, unknown>>) => {
  const { OctroiError } = await import('../../errors.ts')
  if (scenario !== 'article-2023-11') {
    throw new OctroiError('bad_input', `There is no scenario "${scenario}". There is article-2023-11.`)
  }
  if (fast === true) {
    throw new OctroiError('bad_input', 'A scenario has its own clock: leave out --fast.')
  }
  return (await import('../demo/article/article.ts')).replayArticle
}
