import type { CliCommand } from '../command.ts'

/** `octroi alerts list`: what was told of limits, and whom it reached. */
export const command: CliCommand = {
  name: 'alerts list',
  summary: 'Show the latest alerts, and whom each has reached',
  configure: (parser) => {
    parser
      .option('--data <folder>', 'where ledger and keys are kept', 'octroi-data')
      .option('--json', 'for machines')
  },
  run: async ({ options }, io) => {
    const [{ readAlerts }, { sayAlerts }] = await Promise.all([
      import('../alerts.ts'),
      import('../alert-answers.ts'),
    ])
    const alerts = await readAlerts(String(options['data']))
    return sayAlerts(alerts, options, io)
  },
}
