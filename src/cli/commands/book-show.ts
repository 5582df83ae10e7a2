import type { CliCommand } from '../command.ts'

/** `octroi book show MODEL`: the card of a model on a day, each price with its source. */
export const command: CliCommand = {
  name: 'book show',
  summary: 'Show the prices of a model on a day, each with its source',
  configure: (parser) => {
    parser
      .argument('<MODEL>', 'a model, another name of one, or a meter that is billed whatever the model')
      .option('--provider <name>', 'whose, where several have it')
      .option('--meter <name>', 'only of this meter')
      .option('--tier <name>', 'only of this tier')
      .option('--at <date>', 'the day: today unless said')
      .option('--prices <folder>', 'the folder with your own price files')
      .option('--json', 'for machines')
  },
  run: async ({ args, options }, io) => {
    const [{ cardOf, formatCard, formatCardJson }, { priceFilter, instantOf }, { openBook }, { clockFrom }] =
      await Promise.all([
        import('../book-card.ts'),
        import('../book-prices.ts'),
        import('../overlays.ts'),
        import('../clock.ts'),
      ])
    const filter = priceFilter({ meter: options.meter, tier: options.tier })
    const at = instantOf(options.at, clockFrom(undefined).now())
    const book = await openBook(options.prices === undefined ? undefined : String(options.prices))
    const card = cardOf(book, { name: String(args[0]), provider: options.provider, at, filter })
    io.out(options.json === true ? formatCardJson(card) : formatCard(card, io))
    return card.prices.length === 0 ? 4 : 0
  },
}
