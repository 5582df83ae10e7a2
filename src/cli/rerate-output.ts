import type { Rerated, RerateReport } from '../reports/rerate.ts'
import { reratedJson, rerateReportJson } from '../reports/rerate-json.ts'
import type { Io } from './command.ts'
import { formatJson } from './json.ts'
import { periodJson } from './reports.ts'
import type { RerateApplied, RerateAsked } from './rerate-run.ts'

export { rerateTable, shownMax } from './rerate-table.ts'

/** Writes a re-rating as JSON while it is made, `octroi-rerate/1`: every adjustment on a line of its own, so that none
 * is kept in memory. */
export const openRerateJson = (asked: RerateAsked, io: Pick<Io, 'out' | 'drained'>) => {
  const { correction, period, provider, model } = asked
  const { name, bookVersion } = correction
  const head = formatJson({
    ...{ schema: 'octroi-rerate/1', ...periodJson(period), provider, model },
    correction: { name, bookVersion },
  })
  io.out(`${head.replace(/\n}$/, '')},\n  "adjustments": [`)
  let count = 0
  return {
    /** Writes a page of adjustments. */
    add: async (page: readonly Rerated[]): Promise<void> => {
      for (const each of page) {
        io.out(`${count === 0 ? '' : ','}\n    ${formatJson(reratedJson(each), { indent: 0 })}`)
        count += 1
      }
      await io.drained?.()
    },
    /** Writes the report, and what was written of it. */
    end: (report: RerateReport, applied: RerateApplied | null): void => {
      const tail = formatJson({
        ...rerateReportJson(report),
        applied: applied === null ? null : appliedJson(report, applied),
      })
      io.out(`${count === 0 ? '' : '\n  '}],${tail.replace(/^{/, '')}\n`)
    },
  }
}

const appliedJson = (report: RerateReport, applied: RerateApplied) => {
  const { adjusted, lines, refused, ledger } = applied
  const totals = rerateReportJson(ledger).totals.map(({ currency, before }) => ({ currency, amount: before }))
  return { adjusted, lines, refused, ledger: totals, agrees: agreesWith(report, applied) }
}

/** Whether the ledger, read again, comes to what the re-rating said, and has nothing left to adjust. */
export const agreesWith = ({ groups }: RerateReport, { refused, ledger }: RerateApplied): boolean =>
  refused === 0 &&
  ledger.groups.length === groups.length &&
  groups.every(({ provider, model, currency, after }) =>
    ledger.groups.some(
      (now) =>
        now.provider === provider &&
        now.model === model &&
        now.currency === currency &&
        now.before === after &&
        now.adjusted === 0,
    ),
  )
