import type { CliCommand } from '../command.ts'

/** `octroi book history MODEL`: what a name has cost over time. */
export const command: CliCommand = {
  name: 'book history',
  summary: 'Draw what a model has cost over time, and list every price it had',
  configure: (parser) => {
    parser
      .argument('<MODEL>', 'a model, another name of one, or a meter that is billed whatever the model')
      .option('--provider <name>', 'whose, where several have it')
      .option('--meter <name>', 'only of this meter')
      .option('--tier <name>', 'of this tier, or of all', 'standard')
      .option('--at <date>', 'draw until this day: until today, and what is scheduled, unless said')
      .option('--prices <folder>', 'the folder with your own price files')
      .option('--json', 'for machines')
  },
  run: async ({ args, options }, io) => {
    const [{ formatHistory, formatHistoryJson, seriesOf }, prices, { openBook }, { clockFrom }] =
      await Promise.all([
        import('../book-history.ts'),
        import('../book-prices.ts'),
        import('../overlays.ts'),
        import('../clock.ts'),
      ])
    const tier = options.tier === 'all' ? {} : { tier: options.tier }
    const filter = prices.priceFilter({ meter: options.meter, ...tier })
    const book = await openBook(options.prices === undefined ? undefined : String(options.prices))
    const name = String(args[0])
    const found = prices.pricesOfName(book, name, options.provider)
    const series = seriesOf(found.prices.filter(({ price }) => filter(price)))
    if (options.json === true) {
      io.out(formatHistoryJson(series, { name, provider: found.provider, version: book.version }))
    } else if (series.length === 0) {
      io.out(`${name} has no such price. Other tiers are shown with --tier all.\n`)
    } else {
      io.out(
        formatHistory(series, {
          name,
          now: prices.instantOf(options.at, clockFrom(undefined).now()),
          color: io.color,
        }),
      )
    }
    return series.length === 0 ? 4 : 0
  },
}
