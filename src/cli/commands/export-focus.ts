import type { CliCommand } from '../command.ts'

/** `octroi export focus`: spend as FOCUS Cost and Usage. Exit code 3 when a rule of FOCUS is broken, 4 when something
 * had no price. */
export const command: CliCommand = {
  name: 'export focus',
  summary: 'Write spend as FOCUS Cost and Usage, or check such a file',
  configure: (parser) => {
    parser
      .option('--ledger <file>', 'the ledger to read', 'octroi-data/ledger.sqlite')
      .option('--sealed <folder>', 'where sealed days are kept: sealed beside the ledger unless said')
      .option('--from <instant>', 'from this hour on')
      .option('--to <instant>', 'up to but not including this hour')
      .option('--focus-version <version>', '1.4 or 1.2', '1.4')
      .option('--out <file>', 'where it goes: standard output unless said')
      .option('--format <name>', 'csv, jsonl or parquet: told by the name of the file unless said')
      .option('--tags <names>', 'tags to tell rows apart by, comma between')
      .option('--billing-account <id>', 'the account of what no organization is known of', 'default')
      .option('--check <file>', 'check a file in place of writing one')
      .option('--features <names>', 'with --check: the FOCUS features that its maker declares, comma between')
      .option('--json', 'with --check: for machines')
  },
  run: async ({ options }, io) => {
    if (options['check'] !== undefined) {
      const { runFocusCheck } = await import('../focus-check.ts')
      return runFocusCheck(String(options['check']), options, io)
    }
    const { runFocusExport } = await import('../focus-export.ts')
    return runFocusExport(options, io)
  },
}
