import type { CliCommand } from '../command.ts'

/** `octroi book list`: the prices in force on a day. */
export const command: CliCommand = {
  name: 'book list',
  summary: 'List the prices in force on a day',
  configure: (parser) => {
    parser
      .option('--provider <name>', 'only of this provider')
      .option('--model <name>', 'only of this model; a * at its end stands for anything')
      .option('--meter <name>', 'only of this meter')
      .option('--tier <name>', 'only of this tier')
      .option('--at <date>', 'the day: today unless said')
      .option('--prices <folder>', 'the folder with your own price files')
      .option('--json', 'for machines')
  },
  run: async ({ options }, io) => {
    const [shared, { openBook }, { clockFrom }, { formatInstant }, { formatJson }, { formatTable }] =
      await Promise.all([
        import('../book-prices.ts'),
        import('../overlays.ts'),
        import('../clock.ts'),
        import('../../time.ts'),
        import('../json.ts'),
        import('../table.ts'),
      ])
    const filter = shared.priceFilter(options)
    const at = shared.instantOf(options.at, clockFrom(undefined).now())
    const book = await openBook(options.prices === undefined ? undefined : String(options.prices))
    const prices = shared.pricesAt(book.prices, at).filter(filter).toSorted(shared.byPlace)
    if (options.json === true) {
      const schema = 'octroi-book-list/1'
      io.out(
        `${formatJson({ schema, version: book.version, at: formatInstant(at), prices: prices.map(shared.priceJson) })}\n`,
      )
      return 0
    }
    if (prices.length === 0) {
      io.out(`No such price is in force on ${shared.dayOf(at)}.\n`)
      return 0
    }
    const rows = prices.map((price) => [
      price.provider,
      price.model ?? '(any)',
      price.meter,
      shared.appliesTo(price),
      `${price.rate.unitPrice} / ${price.rate.per}`,
      price.currency,
      shared.sinceOf(price),
      price.confidence,
    ])
    io.out(formatTable(columns, rows, { color: io.color }))
    return 0
  },
}

const columns = [
  { title: 'provider' },
  { title: 'model' },
  { title: 'meter' },
  { title: 'for' },
  { title: 'price / units', align: 'right' },
  { title: '' },
  { title: 'since' },
  { title: 'confidence' },
] as const
