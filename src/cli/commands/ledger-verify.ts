import type { CliCommand } from '../command.ts'

/** `octroi ledger verify`: exit code 0 when the ledger and its sealed days agree with their entries, 1 when they
 * differ. */
export const command: CliCommand = {
  name: 'ledger verify',
  summary: 'Fold every entry of the ledger anew and compare with what it kept',
  configure: (parser) => {
    parser
      .option('--ledger <file>', 'the ledger to read', 'octroi-data/ledger.sqlite')
      .option('--sealed <folder>', 'where its sealed days are kept: sealed beside it unless said')
      .option('--json', 'for machines')
  },
  run: async ({ options }, io) => {
    const [{ formatCount, withLedger }, { verify }, { verifyDays }, { sealedFolderOf }] = await Promise.all([
      import('../reports.ts'),
      import('../../ledger/ledger.ts'),
      import('../../ledger/sealed/verify-days.ts'),
      import('../../ledger/sealed/sealing.ts'),
    ])
    const folder =
      options['sealed'] === undefined ? sealedFolderOf(String(options['ledger'])) : String(options['sealed'])
    const verified = await withLedger(options, async (database) => ({
      ledger: await verify(database),
      sealed: await verifyDays(database, folder),
    }))
    const { entries, calls } = verified.ledger
    const differences = [...verified.sealed.differences, ...verified.ledger.differences].slice(0, 1_000)
    const differenceCount = verified.ledger.differenceCount + verified.sealed.differences.length
    const agrees = differenceCount === 0
    const sealedDays = verified.sealed.days
    if (options['json'] === true) {
      const { formatJson } = await import('../json.ts')
      const schema = 'octroi-ledger-verify/1'
      io.out(`${formatJson({ schema, agrees, entries, calls, sealedDays, differenceCount, differences })}\n`)
      return agrees ? 0 : 1
    }
    const size = `${formatCount(entries)} entries of ${formatCount(calls)} calls`
    if (agrees) {
      io.out(`The ledger agrees: ${size}${sealedDays === 0 ? '' : `, ${sealedDays} sealed days`}.\n`)
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
