import type { CliCommand } from '../command.ts'

/** `octroi price`: what recorded uses cost, at the prices in force when they happened. */
export const command: CliCommand = {
  name: 'price',
  summary: 'Price recorded uses of AI APIs at the prices in force when they happened',
  configure: (parser) => {
    parser
      .argument(
        '[FILE]',
        'an item {provider, model, at, usage: {meter: quantity}, attributes?}, an array of items, or one item a line; "-" or nothing: standard input',
      )
      .option('--as-of <date>', 'price with what was known on that day')
      .option('--prices <folder>', 'the folder with your own price files: octroi-data/prices, if it is there')
      .option('--strict', 'end at the first bad line of JSON Lines, in place of pricing the others')
      .option('--json', 'for machines: an object, an array or JSON Lines, as the input is')
  },
  run: async ({ args, options }, io) => {
    const [{ priceItems }, { readItems }, { openInput }, { openBook }, { parseInstant }] = await Promise.all([
      import('../price-items.ts'),
      import('../items.ts'),
      import('../input.ts'),
      import('../overlays.ts'),
      import('../../time.ts'),
    ])
    const asOf = options.asOf === undefined ? {} : { asOf: parseInstant(String(options.asOf)) }
    const book = await openBook(options.prices === undefined ? undefined : String(options.prices))
    io.steadyHeap?.()
    const items = await readItems(await openInput(args[0], io))
    return priceItems(
      items,
      { book, json: options.json === true, strict: options.strict === true, ...asOf },
      io,
    )
  },
}
