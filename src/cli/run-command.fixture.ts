import { Readable } from 'node:stream'
import type { CliCommand } from './command.ts'
import { main } from './main.ts'

/** How a command ended: its exit code, and what it wrote. */
export type Ran = { readonly exit: number; readonly out: string; readonly err: string }

/** Runs commands in this process, for tests: the words as typed after `octroi`, what stands on standard input, and in
 * the environment. `told`: what it hears on standard error as it is written, and may end the command upon. */
export const commandRunner =
  (...commands: readonly CliCommand[]) =>
  async (
    words: readonly string[],
    input = '',
    environment: Readonly<Record<string, string>> = {},
    told: (text: string, end: () => void) => void = () => {},
  ): Promise<Ran> => {
    const ending = new AbortController()
    const written = { out: '', err: '' }
    const exit = await main(
      words,
      {
        stdin: Readable.from([input]),
        out: (text) => {
          written.out += text
        },
        err: (text) => {
          written.err += text
          told(written.err, () => ending.abort())
        },
        color: false,
        environment,
        signal: ending.signal,
      },
      commands.map((command) => ({
        name: command.name,
        summary: command.summary,
        load: () => Promise.resolve(command),
      })),
    )
    return { ...written, exit }
  }
