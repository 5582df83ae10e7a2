import type { CliCommand } from '../command.ts'

/** `octroi ledger verify`: exit code 0 when the ledger agrees with its entries, 1 when it differs. */
export const command: CliCommand = {
  name: 'ledger verify',
  summary: 'Fold every entry of the ledger anew and compare with what it kept',
  configure: (parser) => {
    parser
      .option('--ledger <file>', 'the ledger to read', 'octroi-data/ledger.sqlite')
      .option('--json', 'for machines')
  },
  run: async ({ options }, io) => {
    const [{ formatCount, withLedger }, { verify }] = await Promise.all([
      import('../reports.ts'),
      import('../../ledger/ledger.ts'),
    ])
    const { agrees, entries, calls, differenceCount, differences } = await withLedger(options, verify)
    if (options['json'] === true) {
      const { formatJson } = await import('../json.ts')
      const schema = 'octroi-ledger-verify/1'
      io.out(`${formatJson({ schema, agrees, entries, calls, differenceCount, differences })}\n`)
      return agrees ? 0 : 1
    }
    const size = `${formatCount(entries)} entries of ${formatCount(calls)} calls`
    if (agrees) {
      io.out(`The ledger agrees: ${size}.\n`)
      return 0
    }
    const { formatTable } = await import('../table.ts')
    io.out(
      formatTable(
        ['where', 'what', 'entries come to', 'ledger kept'].map((title) => ({ title })),
        differences.map(({ where, key, folded, kept }) => [where, key, folded ?? '-', kept ?? '-']),
        { color: io.color },
      ),
    )
    io.err(
      `octroi: the ledger differs from its entries in ${formatCount(differenceCount)} places (${size}).\n`,
    )
    return 1
  },
}
