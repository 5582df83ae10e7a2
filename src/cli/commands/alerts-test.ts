import type { CliCommand } from '../command.ts'

/** `octroi alerts test`: an alert about nothing, to try the way. */
export const command: CliCommand = {
  name: 'alerts test',
  summary: 'Send an alert about nothing to every webhook, and say who took it',
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
    const alerts = await readAlerts(String(options['data']), { test: true })
    return sayAlerts(alerts, options, io)
  },
}
