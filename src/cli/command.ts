import type { Readable } from 'node:stream'
import type { Command as Parser } from 'commander'

/** What a command may touch of the outside. Data goes to `out`, everything else to `err`. */
export type Io = {
  readonly stdin: Readable
  readonly out: (text: string) => void
  /** Resolves when the reader of `out` has room again. Whoever writes without end waits for it, so that a slow reader
   * does not fill the memory. Absent where what is written is taken at once. */
  readonly drained?: () => Promise<void>
  readonly err: (text: string) => void
  /** Shows a line below all others, in the place of the last one shown; an empty text takes it away. Absent where
   * `err` is no terminal. */
  readonly bar?: (text: string) => void
  /** Called before a long run over many small things, so that the memory stays what they need. */
  readonly steadyHeap?: () => void
  /** True when `out` is a terminal and NO_COLOR is not set. */
  readonly color: boolean
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Aborts when the person presses Ctrl-C, the process is told to end, or the reader of `out` has gone. */
  readonly signal: AbortSignal
  /** Calls back whenever the process is told to reload; where it is never called, that ends the process. */
  readonly onReload?: (told: () => void) => void
}

/** One command of `octroi`, one file in `commands/`. The file stays light: `run` imports the rooms it needs,
 * so that a command loads nothing else. Returns the exit code (DESIGN 5.5). */
export type CliCommand = {
  /** As typed after `octroi`, in words: `report spend`. */
  readonly name: string
  readonly summary: string
  /** Declares arguments and options. */
  readonly configure: (parser: Parser) => void
  readonly run: (
    call: {
      readonly args: readonly string[]
      readonly options: Readonly<Record<string, unknown>>
      /** All commands there are, for the one that speaks of them. */
      readonly commands: readonly CommandEntry[]
    },
    io: Io,
  ) => Promise<number>
}

/** A command as the generated index knows it: name and summary at hand, the rest loaded when it is run. */
export type CommandEntry = {
  readonly name: string
  readonly summary: string
  readonly load: () => Promise<CliCommand>
}
