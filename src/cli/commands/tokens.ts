import type { CliCommand } from '../command.ts'

/** `octroi tokens`: how many tokens a text, a request, an image or a sound has. */
export const command: CliCommand = {
  name: 'tokens',
  summary: 'Count the tokens of a text, a request, an image or a sound',
  configure: (parser) => {
    parser
      .argument('[FILE]', 'a text; "-" or nothing: standard input')
      .requiredOption('--model <model>', 'the model that reads it')
      .option('--provider <name>', 'whose model it is: openai unless said')
      .option('--chat', 'the text is a request body of Chat Completions: count its prompt')
      .option('--image <size>', 'count an image instead: 1000x1000, or 1000x1000:high')
      .option('--audio <file>', 'count a sound instead')
      .option('--at <date>', 'the day whose rules for images hold: today unless said')
      .option('--json', 'for machines')
  },
  run: async ({ args, options }, io) => {
    const [
      { countPicture, countRequest, countSound, countText },
      { formatTokens, readAll },
      { clockFrom },
      { parseInstant },
    ] = await Promise.all([
      import('../tokens-count.ts'),
      import('../tokens-table.ts'),
      import('../clock.ts'),
      import('../../time.ts'),
    ])
    const { image, audio } = options
    const at = options.at === undefined ? clockFrom(undefined).now() : parseInstant(String(options.at))
    const call = { provider: String(options.provider ?? 'openai'), model: String(options.model), at }
    const text = async () => new TextDecoder().decode(await readAll(args[0], io))
    const count =
      image !== undefined
        ? countPicture(String(image), call)
        : audio !== undefined
          ? await countSound(await readAll(String(audio), io), call)
          : options.chat === true
            ? await countRequest(await text(), call)
            : await countText(await text(), call.model)
    io.out(formatTokens(count, { json: options.json === true, color: io.color }))
    return 0
  },
}
