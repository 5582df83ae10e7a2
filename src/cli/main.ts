import { readFileSync } from 'node:fs'
import { CommanderError, Command as Parser } from 'commander'
import type { CommandEntry, Io } from './command.ts'
import { commandIndex } from './commands/index.gen.ts'
import { reportError } from './errors.ts'
import { processIo } from './io.ts'

/** Exit code when what was typed is not understood. */
const usageExit = 2

/** Runs what was typed after `octroi` and returns the exit code. Only the wanted command is loaded; it never
 * throws: every error has been told on standard error. */
export const main = async (
  args: readonly string[],
  io: Io = processIo(),
  entries: readonly CommandEntry[] = commandIndex,
): Promise<number> => {
  try {
    return await run(args, io, entries)
  } catch (error) {
    return reportError(error, io)
  }
}

const run = async (args: readonly string[], io: Io, entries: readonly CommandEntry[]): Promise<number> => {
  const wanted = wantedEntry(args, entries)
  const command = wanted === undefined ? undefined : await wanted.load()
  let exit = 0
  const program = newParser(io).name('octroi').description('The bill before the call.').version(version())
  for (const group of groupsOf(entries)) {
    program.command(group.word).description(group.summary)
  }
  for (const entry of entries) {
    const parser = placeOf(entry, program).description(entry.summary)
    if (entry !== wanted || command === undefined) continue
    command.configure(parser)
    parser.action(async () => {
      exit = await command.run({ args: parser.args, options: parser.opts(), commands: entries }, io)
    })
  }
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    const ended = parserExit(error)
    if (ended === null) throw error
    return ended
  }
  return exit
}

/** The entry whose words stand first, `help` aside; of `report` and `report spend` the longer one. */
const wantedEntry = (args: readonly string[], entries: readonly CommandEntry[]): CommandEntry | undefined => {
  const words = args[0] === 'help' ? args.slice(1) : args
  const fits = (entry: CommandEntry): boolean =>
    entry.name.split(' ').every((word, index) => words[index] === word)
  return entries.filter(fits).sort((a, b) => b.name.length - a.name.length)[0]
}

/** The first words that several commands share, each with the second words as its summary. */
const groupsOf = (entries: readonly CommandEntry[]): { word: string; summary: string }[] => {
  const members = new Map<string, string[]>()
  for (const entry of entries) {
    const [word = '', ...rest] = entry.name.split(' ')
    if (rest.length > 0) members.set(word, [...(members.get(word) ?? []), rest.join(' ')])
  }
  return [...members].map(([word, names]) => ({ word, summary: `${names.join(', ')}: see ${word} --help` }))
}

const newParser = (io: Io): Parser =>
  new Parser()
    .exitOverride()
    .configureOutput({
      writeOut: io.out,
      writeErr: io.err,
      getOutHasColors: () => io.color,
      getErrHasColors: () => false,
    })
    .showHelpAfterError('Add --help to see what it takes.')

/** Walks down the words of a name, making the groups on the way: `report spend` is `spend` in `report`. */
const placeOf = (entry: CommandEntry, program: Parser): Parser => {
  let place = program
  for (const word of entry.name.split(' ')) {
    place = place.commands.find((child) => child.name() === word) ?? place.command(word)
  }
  return place
}

/** The exit code of what the parser throws to end a run (help, version, a usage error), or null when the
 * error is none of its own. */
const parserExit = (error: unknown): number | null => {
  if (!(error instanceof CommanderError)) return null
  return error.exitCode === 0 ? 0 : usageExit
}

const version = (): string => {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const facts: unknown = JSON.parse(text)
  const known = typeof facts === 'object' && facts !== null && 'version' in facts
  return known ? String(facts.version) : 'unknown'
}
