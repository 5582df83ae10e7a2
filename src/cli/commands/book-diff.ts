import type { CliCommand } from '../command.ts'

/** `octroi book diff DATE DATE`: what moved between two days. */
export const command: CliCommand = {
  name: 'book diff',
  summary: 'Show which prices moved between two days',
  configure: (parser) => {
    parser
      .argument('<FROM>', 'the earlier day')
      .argument('<TO>', 'the later day')
      .option('--provider <name>', 'only of this provider')
      .option('--model <name>', 'only of this model; a * at its end stands for anything')
      .option('--meter <name>', 'only of this meter')
      .option('--tier <name>', 'only of this tier')
      .option('--prices <folder>', 'the folder with your own price files')
      .option('--json', 'for machines')
  },
  run: async ({ args, options }, io) => {
    const [diff, { priceFilter, pricesAt }, { openBook }, { parseInstant }, { OctroiError }] =
      await Promise.all([
        import('../book-diff.ts'),
        import('../book-prices.ts'),
        import('../overlays.ts'),
        import('../../time.ts'),
        import('../../errors.ts'),
      ])
    const [from, to] = [parseInstant(String(args[0])), parseInstant(String(args[1]))]
    if (from >= to) {
      throw new OctroiError('bad_input', `${args[0]} is not before ${args[1]}. Name the earlier day first.`)
    }
    const filter = priceFilter(options)
    const book = await openBook(options.prices === undefined ? undefined : String(options.prices))
    const prices = book.prices.filter(filter)
    const changes = diff.changesBetween(pricesAt(prices, from), pricesAt(prices, to))
    io.out(
      options.json === true
        ? diff.formatChangesJson(changes, { from, to, version: book.version })
        : diff.formatChanges(changes, { from, to, color: io.color }),
    )
    return 0
  },
}
