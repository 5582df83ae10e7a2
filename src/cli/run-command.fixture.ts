import { Readable } from 'node:stream'
import type { CliCommand } from './command.ts'
import { main } from './main.ts'

/** How a command ended: its exit code, and what it wrote. */
export type Ran = { readonly exit: number; readonly out: string; readonly err: string }

/** Runs commands in this process, for tests: the words as typed after `octroi`, what stands on standard input, and in
 * the environment. */
export const commandRunner =
  (...commands: readonly CliCommand[]) =>
  async (
    words: readonly string[],
    input = '',
    environment: Readonly<Record<string, string>> = {},
  ): Promise<Ran> => {
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
        },
        color: false,
        environment,
        signal: new AbortController().signal,
      },
      commands.map((command) => ({
        name: command.name,
        summary: command.summary,
        load: () => Promise.resolve(command),
      })),
    )
    return { ...written, exit }
  }
