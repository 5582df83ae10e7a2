import type { RerateApplied } from '../../gateway/reporting/rerate.ts'
import type { Rerated } from '../../reports/rerate.ts'
import type { CliCommand, Io } from '../command.ts'
import type { FolderRerate } from '../rerate-run.ts'

/** `octroi rerate`: corrected prices take the place of those that calls were priced by. Exit code 4 when something
 * keeps a price that may be wrong, or the ledger does not come to what was said. */
export const command: CliCommand = {
  name: 'rerate',
  summary: 'Price a past period anew by corrected prices',
  configure: (parser) => {
    parser
      .requiredOption('--from <instant>', 'from this hour on')
      .requiredOption('--to <instant>', 'up to but not including this hour')
      .option(
        '--correction <file>',
        'a price file with the corrected rows: the book as it is now unless said',
      )
      .option('--provider <name>', 'only calls of this provider')
      .option('--model <name>', 'only calls of this model, as served')
      .option('--apply', 'write the adjustments; without it nothing is written')
      .option('--data <folder>', 'where ledger and keys are kept', 'octroi-data')
      .option(
        '--prices <folder>',
        'the folder with your own price files: prices in the data folder unless said',
      )
      .option('--clock <instant>', 'when the adjustments are made: now unless said')
      .option('--json', 'for machines: every adjustment on a line')
  },
  run: async ({ options }, io) => {
    const [{ applyToFolder, checkWritable, planRerate }, output] = await Promise.all([
      import('../rerate-run.ts'),
      import('../rerate-output.ts'),
    ])
    const asked = await readAskedOf(options)
    const [isJson, isApplied] = [options['json'] === true, options['apply'] === true]
    if (isApplied) await checkWritable(asked.folder)
    const shown: Rerated[] = []
    const json = isJson ? output.openRerateJson(asked, io) : null
    const report = await planRerate(asked, async (page) => {
      if (json !== null) await json.add(page)
      else shown.push(...page.slice(0, output.shownMax - shown.length))
    })
    const applied = isApplied ? await applyToFolder(asked) : null
    if (json !== null) await json.end(report, applied)
    else io.out(output.rerateTable(report, shown, { color: io.color }))
    const changed = report.totals.reduce((sum, { adjusted }) => sum + adjusted, 0)
    if (applied === null) {
      io.err(`octroi: nothing was written. --apply writes ${changed} adjustments.\n`)
      return report.kept.some(({ why }) => why !== 'vendor_stated') ? 4 : 0
    }
    const agrees = output.agreesWith(report, applied)
    tellApplied(io, applied, { changed, agrees })
    return agrees && report.kept.every(({ why }) => why === 'vendor_stated') ? 0 : 4
  },
}

const tellApplied = (
  io: Io,
  { adjusted, lines }: RerateApplied,
  { changed, agrees }: { readonly changed: number; readonly agrees: boolean },
): void => {
  io.err(`octroi: ${adjusted + lines} of ${changed} adjustments are in the ledger.\n`)
  if (!agrees) io.err('octroi: the ledger came to something else meanwhile. Run the same again.\n')
}

const readAskedOf = async (options: Readonly<Record<string, unknown>>): Promise<FolderRerate> => {
  const [{ closedPeriod }, { readBooks }, { readPeriod }, { clockFrom }] = await Promise.all([
    import('../rerate-run.ts'),
    import('../rerate-books.ts'),
    import('../reports.ts'),
    import('../clock.ts'),
  ])
  const text = (name: string): string | undefined =>
    options[name] === undefined ? undefined : String(options[name])
  const { from, to } = readPeriod(options)
  const folder = String(options['data'])
  return {
    ...{ folder, period: closedPeriod(from, to) },
    correction: await readBooks({ correction: text('correction'), prices: text('prices'), folder }),
    ...{ provider: text('provider') ?? null, model: text('model') ?? null },
    at: clockFrom(text('clock')).now(),
  }
}
