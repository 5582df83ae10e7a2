import type { CliCommand } from '../command.ts'

/** `octroi report conversations`: what conversations cost, or each turn of one, how much of it was history sent again,
 * and what caps would have saved. Exit code 4 when something had no price. */
export const command: CliCommand = {
  name: 'report conversations',
  summary: 'Say what each conversation cost, and how much of it was history sent again',
  configure: (parser) => {
    parser
      .argument('[ID]', 'the conversation whose turns are listed')
      .option('--conversation <id>', 'the same')
      .option('--team <name>', 'only the conversations of this team')
      .option('--assistant <id>', 'only those of this assistant, by the tag "assistant", and what it keeps')
      .option('--ledger <file>', 'the ledger to read', 'octroi-data/ledger.sqlite')
      .option('--from <instant>', 'calls made from this hour on')
      .option('--to <instant>', 'calls made before this hour')
      .option('--top <count>', 'how many to list, the dearest first', '50')
      .option('--cap-tokens <tokens>', 'say too what prompts of at most so many tokens would have saved')
      .option('--plot', 'draw what each cost, and which part of it was history')
      .option('--json', 'for machines')
  },
  run: async ({ args, options }, io) => {
    const [{ readPeriod, withLedger }, { readConversations }, { historyCaps }] = await Promise.all([
      import('../reports.ts'),
      import('../conversation-readings.ts'),
      import('../../reports/conversation-caps.ts'),
    ])
    const period = readPeriod(options)
    const top = await readWhole('top', options)
    const capTokens = options['capTokens'] === undefined ? null : await readWhole('capTokens', options)
    const conversation = args[0] ?? options['conversation']
    const asked = {
      ...(conversation !== undefined && { conversation: String(conversation) }),
      ...(options['team'] !== undefined && { team: String(options['team']) }),
      ...(options['assistant'] !== undefined && { assistant: String(options['assistant']) }),
      ...{ period, top, caps: historyCaps(capTokens) },
    }
    const read = await withLedger(options, (database) => readConversations(database, asked, io.signal))
    if (read === null) return 1
    const one = conversation !== undefined
    if (options['json'] === true) {
      const [{ conversationsJson }, { formatJson }] = await Promise.all([
        import('../conversation-json.ts'),
        import('../json.ts'),
      ])
      io.out(`${formatJson(conversationsJson(read, { period, turns: one }))}\n`)
    } else {
      const [{ conversationsTable }, { conversationTurnsTable }] = await Promise.all([
        import('../conversation-table.ts'),
        import('../conversation-turns-table.ts'),
      ])
      const printing = { color: io.color, plot: options['plot'] === true }
      io.out(
        read.listed.length === 0
          ? nothingFound(conversation)
          : one
            ? read.listed.map((each) => conversationTurnsTable(each, printing)).join('\n')
            : conversationsTable(read, printing),
      )
    }
    const { all } = read
    if (all.length > top) io.err(`octroi: ${all.length - top} more; list them with --top ${all.length}.\n`)
    const unpriced = all.reduce((sum, { unpriced, accrued }) => sum + unpriced + accrued.unpriced, 0)
    if (unpriced === 0) return 0
    io.err(`octroi: ${unpriced} of the calls used something that has no price; the cost leaves it out.\n`)
    return 4
  },
}

const nothingFound = (conversation: unknown): string =>
  conversation === undefined
    ? 'No call ended in this period.\n'
    : `No call of a conversation ${JSON.stringify(conversation)} ended in this period.\n`

const readWhole = async (
  name: 'top' | 'capTokens',
  options: Readonly<Record<string, unknown>>,
): Promise<number> => {
  const written = String(options[name])
  const number = /^\d{1,7}$/.test(written) ? Number(written) : 0
  if (number > 0) return number
  const { OctroiError } = await import('../../errors.ts')
  const option = name === 'top' ? '--top' : '--cap-tokens'
  throw new OctroiError(
    'bad_input',
    `${option} cannot be "${written}". Write a whole number from 1 to 9999999.`,
  )
}
