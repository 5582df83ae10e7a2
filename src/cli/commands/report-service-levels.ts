import type { CliCommand } from '../command.ts'

/** `octroi report service-levels`: how well vendors served. Exit code 3 when a promise is broken. */
export const command: CliCommand = {
  name: 'report service-levels',
  summary: 'Say how well vendors served, beside what they promise',
  configure: (parser) => {
    parser
      .option('--ledger <file>', 'the ledger to read', 'octroi-data/ledger.sqlite')
      .option('--from <instant>', 'from this hour or day on')
      .option('--to <instant>', 'up to but not including this hour or day')
      .option('--zone <name>', 'the zone whose days count: Europe/Paris; UTC unless said')
      .option('--by <name>', 'model, or endpoint for each endpoint of a model by itself')
      .option('--json', 'for machines')
  },
  run: async ({ options }, io) => {
    const [{ askReport }, { serviceLevelsRoute }, { readPromises }, { bundledPromises }] = await Promise.all([
      import('../reports.ts'),
      import('../../gateway/reporting/service-levels.ts'),
      import('../../reports/service-promise.ts'),
      import('../bundled.ts'),
    ])
    const route = serviceLevelsRoute(readPromises(await bundledPromises()))
    const report = await askReport(route, options)
    io.out(
      options['json'] === true
        ? `${(await import('../json.ts')).formatJson(route.json(report))}\n`
        : (await import('../service-levels-table.ts')).serviceLevelsTable(report, { color: io.color }),
    )
    return report.levels.some(({ verdict }) => verdict === 'broken') ? 3 : 0
  },
}
