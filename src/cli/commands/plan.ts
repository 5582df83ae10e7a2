import type { CliCommand } from '../command.ts'

/** `octroi plan`: what a conversation will cost, turn by turn. */
export const command: CliCommand = {
  name: 'plan',
  summary: 'Plan what a conversation costs when its history is sent again at every turn',
  configure: (parser) => {
    parser
      .argument(
        '[FILE]',
        'a plan {model, at, system, user, assistant, turns, keepTurns?, capTokens?, cache?, toolRounds? ...}, an array of plans, or one a line; "-", or nothing where no --model is given: standard input',
      )
      .option('--provider <name>', 'who is called: openai unless said')
      .option('--model <model>', 'the model')
      .option('--at <date>', 'the day whose prices hold: today unless said')
      .option('--system <tokens>', 'instructions and tools, sent at every turn')
      .option('--user <tokens>', 'a message of the user')
      .option('--assistant <tokens>', 'an answer')
      .option('--turns <number>', 'how many messages the user sends')
      .option('--priming <tokens>', 'what the wire adds to each request')
      .option('--keep-turns <number>', 'how many earlier turns are sent again')
      .option('--cap-tokens <tokens>', 'how long a prompt may be; the oldest messages are left out')
      .option('--cache <kind>', 'none, auto (as the vendor caches the model), 5m or 1h')
      .option('--images-tokens <tokens>', 'the images in every message of the user')
      .option(
        '--tool-rounds <rounds,call,result>',
        'tools in every turn: how often, tokens of a call, of a result',
      )
      .option('--run-budget <prompt,completion>', 'tokens that the calls of one turn may use together')
      .option('--minutes-between <minutes>', 'from one turn to the next: caches expire, sessions end')
      .option('--code-interpreter', 'every turn uses the code interpreter')
      .option('--retrieval-gigabytes <gigabytes>', 'files kept for retrieval')
      .option('--assistants <number>', 'how many assistants keep them: 1 unless said')
      .option('--days <number>', 'how many days they are kept: 30 unless said')
      .option('--conversations-per-month <number>', 'how many such conversations there are')
      .option('--plot', 'draw what each turn costs')
      .option('--prices <folder>', 'the folder with your own price files: octroi-data/prices, if it is there')
      .option('--json', 'for machines: an object, an array or JSON Lines, as the input is')
  },
  run: async ({ args, options }, io) => {
    const [
      { planItems },
      { readItems },
      { openInput },
      { bundledModels },
      { openBook },
      { clockFrom },
      { openModelFacts },
    ] = await Promise.all([
      import('../plan-items.ts'),
      import('../items.ts'),
      import('../input.ts'),
      import('../bundled.ts'),
      import('../overlays.ts'),
      import('../clock.ts'),
      import('../../pricing/model-facts.ts'),
    ])
    const folder = options.prices === undefined ? undefined : String(options.prices)
    const [book, models] = await Promise.all([openBook(folder), bundledModels()])
    const fields = fieldsOf(options)
    const given = args[0] === undefined && options.model !== undefined
    const items = given ? onePlan() : await readItems(await openInput(args[0], io))
    const facts = openModelFacts(models)
    return planItems(
      items,
      {
        book,
        facts,
        now: clockFrom(undefined).now(),
        json: options.json === true,
        plot: options.plot === true,
        fields,
      },
      io,
    )
  },
}

/** An empty plan, which the options fill. */
const onePlan = () => ({
  form: 'object' as const,
  items: (async function* () {
    yield { place: 'the plan', value: {} }
  })(),
})

const numbers = [
  ...['system', 'user', 'assistant', 'turns', 'priming', 'keepTurns', 'capTokens', 'minutesBetween'],
  ...['assistants', 'days', 'conversationsPerMonth'],
]
const words = ['provider', 'model', 'at', 'cache', 'codeInterpreter', 'retrievalGigabytes']

/** The options that are fields of a plan; a number that is none stays text, so that its error shows it. */
const fieldsOf = (options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => {
  const given = [...words, ...numbers].flatMap((name): [string, unknown][] => {
    const value = options[name]
    if (value === undefined) return []
    return [[name, numbers.includes(name) ? numberOr(value) : value]]
  })
  const { imagesTokens, toolRounds, runBudget } = options
  const [promptTokens, completionTokens] = String(runBudget).split(',').map(numberOr)
  const [rounds, call, result] = String(toolRounds).split(',').map(numberOr)
  return {
    ...Object.fromEntries(given),
    ...(imagesTokens !== undefined && { imagesPerTurn: { tokens: numberOr(imagesTokens) } }),
    ...(toolRounds !== undefined && { toolRounds: { rounds, call, result } }),
    ...(runBudget !== undefined && { runBudget: { promptTokens, completionTokens } }),
  }
}

const numberOr = (value: unknown): unknown => (/^-?\d+(\.\d+)?$/.test(String(value)) ? Number(value) : value)
