import type { CliCommand } from '../command.ts'

/** `octroi limits list`: where every limit stands now. */
export const command: CliCommand = {
  name: 'limits list',
  summary: 'Show every limit: cap, settled, held, unresolved, free, over, and when it resets',
  configure: (parser) => {
    parser
      .option('--data <folder>', 'where ledger and keys are kept', 'octroi-data')
      .option('--config <file>', 'the configuration with the limits, where no gateway runs')
      .option('--json', 'for machines')
  },
  run: async ({ options }, io) => {
    const [{ readLimitStates }, { formatJson }, { formatTable }] = await Promise.all([
      import('../limit-states.ts'),
      import('../json.ts'),
      import('../table.ts'),
    ])
    const config = options['config'] === undefined ? undefined : String(options['config'])
    const limits = await readLimitStates(String(options['data']), config)
    if (options['json'] === true) {
      io.out(`${formatJson({ schema: 'octroi-limits-list/1', limits })}\n`)
      return 0
    }
    if (limits.length === 0) {
      io.out('There are no limits, or nothing has been counted yet.\n')
      return 0
    }
    const amounts = ['cap', 'settled', 'held', 'unresolved', 'free', 'over'] as const
    const right = amounts.map((title) => ({ title, align: 'right' as const }))
    const titles = [
      { title: 'limit' },
      { title: 'set by' },
      { title: 'counter' },
      ...right,
      { title: 'unit' },
      { title: 'resets' },
    ]
    const rows = limits.map((state) => [
      state.limit,
      state.setBy,
      Object.entries(state.counter)
        .map(([name, value]) => `${name}=${value ?? '(none)'}`)
        .join(' '),
      ...amounts.map((name) => state[name]),
      state.unit,
      state.resetsAt ?? 'never',
    ])
    io.out(formatTable(titles, rows, { color: io.color }))
    return 0
  },
}
