import type { CliCommand } from '../command.ts'

/** `octroi book sunsets`: which models end, when, and what replaces them. */
export const command: CliCommand = {
  name: 'book sunsets',
  summary: 'List the models that end, when, and what replaces them',
  configure: (parser) => {
    parser
      .option('--at <date>', 'seen from this day: today unless said')
      .option('--since <date>', 'also what has ended since this day')
      .option('--provider <name>', 'only of this provider')
      .option('--model <name>', 'only this model; a * at its end stands for anything')
      .option('--json', 'for machines')
  },
  run: async ({ options }, io) => {
    const [{ bundledModels }, { openModelFacts }, { sunsets }, shown, { instantOf }, { clockFrom }] =
      await Promise.all([
        import('../bundled.ts'),
        import('../../pricing/model-facts.ts'),
        import('../../pricing/lifecycle.ts'),
        import('../book-sunsets.ts'),
        import('../book-prices.ts'),
        import('../clock.ts'),
      ])
    const facts = openModelFacts(await bundledModels())
    const at = instantOf(options.at, clockFrom(undefined).now())
    const since = options.since === undefined ? {} : { since: instantOf(options.since, at) }
    const ends = sunsets(facts, { at, ...since }).filter(shown.sunsetFilter(options))
    const told = { facts, at, color: io.color }
    io.out(options.json === true ? shown.formatSunsetsJson(ends, told) : shown.formatSunsets(ends, told))
    return 0
  },
}
