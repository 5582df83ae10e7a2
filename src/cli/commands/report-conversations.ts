import type { ConversationSpend } from '../../reports/conversations.ts'
import type { CliCommand } from '../command.ts'

/** `octroi report conversations`: what each conversation cost, and how much of it was history sent again.
 * Exit code 4 when something had no price. */
export const command: CliCommand = {
  name: 'report conversations',
  summary: 'Say what each conversation cost, and how much of it was history sent again',
  configure: (parser) => {
    parser
      .option('--ledger <file>', 'the ledger to read', 'octroi-data/ledger.sqlite')
      .option('--from <instant>', 'calls made from this hour on')
      .option('--to <instant>', 'calls made before this hour')
      .option('--top <count>', 'how many to list, the dearest first', '50')
      .option('--json', 'for machines')
  },
  run: async ({ options }, io) => {
    const [
      { boundsOf, periodJson, readPeriod, withLedger },
      { readCalls },
      { createConversationFold },
      json,
    ] = await Promise.all([
      import('../reports.ts'),
      import('../../ledger/reading.ts'),
      import('../../reports/conversations.ts'),
      import('../json.ts'),
    ])
    const top = await readTop(String(options['top']))
    const period = readPeriod(options)
    const fold = createConversationFold()
    await withLedger(options, async (database) => {
      for await (const calls of readCalls(database, boundsOf(period))) {
        fold.add(calls)
        if (io.signal.aborted) break
      }
    })
    if (io.signal.aborted) return 1
    const all = fold.conversations()
    const conversations = all.slice(0, top)
    if (options['json'] === true) {
      const schema = 'octroi-report-conversations/1'
      const lines = await Promise.all(conversations.map(toJson))
      io.out(
        `${json.formatJson({ schema, ...periodJson(period), count: all.length, conversations: lines })}\n`,
      )
    } else io.out(await toTable(conversations, io.color))
    if (all.length > top) io.err(`octroi: ${all.length - top} more; list them with --top ${all.length}.\n`)
    const unpriced = all.reduce((sum, conversation) => sum + conversation.unpriced, 0)
    if (unpriced === 0) return 0
    io.err(`octroi: ${unpriced} of the calls used something that has no price; the cost leaves it out.\n`)
    return 4
  },
}

const readTop = async (written: string): Promise<number> => {
  const top = /^\d{1,7}$/.test(written) ? Number(written) : 0
  if (top > 0) return top
  const { OctroiError } = await import('../../errors.ts')
  throw new OctroiError('bad_input', `--top cannot be "${written}". Write a whole number from 1 to 9999999.`)
}

const toJson = async (conversation: ConversationSpend) => {
  const [{ shareJson }, { formatPicos }, { formatInstant }] = await Promise.all([
    import('../reports.ts'),
    import('../../money/money.ts'),
    import('../../time.ts'),
  ])
  const { amount, first, last, resent, ...rest } = conversation
  return {
    ...rest,
    first: formatInstant(first),
    last: formatInstant(last),
    amount: formatPicos(amount),
    resent: {
      tokens: resent.tokens,
      amount: formatPicos(resent.amount),
      shareOfInput: shareJson(resent.shareOfInput),
      shareOfAmount: shareJson(resent.shareOfAmount),
      exact: resent.exact,
    },
  }
}

const toTable = async (conversations: readonly ConversationSpend[], color: boolean): Promise<string> => {
  const [{ formatTable }, { formatCount }, { formatPicos }, { formatShare }] = await Promise.all([
    import('../table.ts'),
    import('../reports.ts'),
    import('../../money/money.ts'),
    import('../../reports/share.ts'),
  ])
  if (conversations.length === 0) return 'No call ended in this period.\n'
  const right = (title: string) => ({ title, align: 'right' as const })
  const columns = [
    ...['team', 'conversation', 'model'].map((title) => ({ title })),
    ...['calls', 'input', 'of which re-sent', 'output', 'cost'].map(right),
    { title: '' },
    ...['re-sent cost', 'of cost'].map(right),
  ]
  const rows = conversations.map(({ team, conversation, models, calls, resent, ...rest }) => [
    team ?? '(none)',
    conversation ?? '(none)',
    models.join(', '),
    formatCount(calls),
    formatCount(rest.inputTokens),
    `${resent.exact ? '' : '~'}${formatShare(resent.shareOfInput)}`,
    formatCount(rest.outputTokens),
    `${rest.estimated > 0 ? '~' : ''}${formatPicos(rest.amount)}`,
    rest.currency,
    `${resent.exact ? '' : '~'}${formatPicos(resent.amount)}`,
    formatShare(resent.shareOfAmount),
  ])
  return formatTable(columns, rows, { color })
}
