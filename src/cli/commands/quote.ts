import type { CliCommand } from '../command.ts'

/** `octroi quote`: what a request can cost, before it is sent. */
export const command: CliCommand = {
  name: 'quote',
  summary: 'Quote a request before it is sent: the least, the expected and the most it can cost',
  configure: (parser) => {
    parser
      .argument('[FILE]', 'a request body, as it would be sent; "-" or nothing: standard input')
      .option('--endpoint <name>', 'the wire: chat-completions unless said')
      .option('--provider <name>', 'who is called: openai unless said')
      .option('--at <date>', 'the day whose prices hold: today unless said')
      .option('--model <model>', 'the model, in place of the one in the body')
      .option('--expected-output <tokens>', 'how many tokens are expected to come back')
      .option('--prices <folder>', 'the folder with your own price files: octroi-data/prices, if it is there')
      .option('--json', 'for machines: an object, an array or JSON Lines, as the input is')
  },
  run: async ({ args, options }, io) => {
    const [
      { quoteItems },
      { readItems },
      { openInput },
      { bundledModels },
      { openBook },
      { clockFrom },
      { openModelFacts },
      { parseInstant },
    ] = await Promise.all([
      import('../quote-items.ts'),
      import('../items.ts'),
      import('../input.ts'),
      import('../bundled.ts'),
      import('../overlays.ts'),
      import('../clock.ts'),
      import('../../pricing/model-facts.ts'),
      import('../../time.ts'),
    ])
    const { provider = 'openai', endpoint = 'chat-completions', at, model, expectedOutput, prices } = options
    const [book, models] = await Promise.all([
      openBook(prices === undefined ? undefined : String(prices)),
      bundledModels(),
    ])
    const quoting = {
      provider: String(provider),
      endpoint: String(endpoint),
      at: at === undefined ? clockFrom(undefined).now() : parseInstant(String(at)),
      model: model === undefined ? null : String(model),
      expectedOutput: expectedOutput === undefined ? null : String(expectedOutput),
      book,
      facts: openModelFacts(models),
    }
    const items = await readItems(await openInput(args[0], io))
    return quoteItems(items, { ...quoting, json: options.json === true }, io)
  },
}
