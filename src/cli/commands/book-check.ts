import type { CliCommand } from '../command.ts'

/** `octroi book check [FILE...]`: validates prices and says what they cover. Exit code 1 where something is wrong. */
export const command: CliCommand = {
  name: 'book check',
  summary: 'Check price files, and say what they cover, how sure it is and how old',
  configure: (parser) => {
    parser
      .argument(
        '[FILE...]',
        'price files, or "-" for standard input: the book and your own prices unless said',
      )
      .option('--at <date>', 'which prices are in force: those of today unless said')
      .option('--prices <folder>', 'the folder with your own price files')
      .option('--json', 'for machines')
  },
  run: async ({ args, options }, io) => {
    const [{ readPriceFiles }, { problemsOf }, check, { instantOf }, { clockFrom }] = await Promise.all([
      import('../book-files.ts'),
      import('../book-problems.ts'),
      import('../book-check.ts'),
      import('../book-prices.ts'),
      import('../clock.ts'),
    ])
    const at = instantOf(options.at, clockFrom(undefined).now())
    const folder = options.prices === undefined ? undefined : String(options.prices)
    const { files, unread } = await readPriceFiles(args, folder, io)
    const found = problemsOf(files)
    const problems = [...unread, ...found.problems]
    const checked = {
      files: [...files.map(({ path }) => path), ...unread.map(({ file }) => file)],
      rows: found.rows,
      at,
      problems,
      coverage: check.coverageOf(found.prices, at),
    }
    io.out(options.json === true ? check.formatCheckJson(checked) : check.formatCoverage(checked, io.color))
    if (problems.length === 0) return 0
    if (options.json !== true) io.err(check.formatProblems(problems))
    return 1
  },
}
