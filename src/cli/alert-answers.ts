import { alertRows, type ShownAlert } from './alerts.ts'
import type { Io } from './command.ts'
import { formatJson } from './json.ts'
import { formatTable } from './table.ts'

/** Says alerts, as a table or for machines. Exit code 1 where a test was not taken by everyone. */
export const sayAlerts = (
  alerts: readonly ShownAlert[],
  options: Readonly<Record<string, unknown>>,
  io: Pick<Io, 'out' | 'color'>,
): number => {
  const isTest = alerts.length === 1 && alerts[0]?.type === 'alert.test'
  const isTaken = alerts.every(({ deliveries }) => deliveries.every(({ state }) => state === 'sent'))
  const exit = isTest && !isTaken ? 1 : 0
  if (options['json'] === true) {
    io.out(`${formatJson({ schema: 'octroi-alerts/1', alerts })}\n`)
    return exit
  }
  if (alerts.length === 0) {
    io.out('Nothing was told yet.\n')
    return exit
  }
  const titles = ['at', 'type', 'about', 'to', 'state', 'attempts', 'said', 'id'].map((title) => ({ title }))
  io.out(formatTable(titles, alertRows(alerts), { color: io.color }))
  return exit
}
