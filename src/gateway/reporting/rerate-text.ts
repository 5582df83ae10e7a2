import type { Rerated, RerateReport } from '../../reports/rerate.ts'
import { reratedJson, rerateReportJson } from '../../reports/rerate-json.ts'
import { formatInstant } from '../../time.ts'
import type { RerateApplied, RerateAsked } from './rerate.ts'

/** How a re-rating is written: values as JSON, one on a line where `isLine`, and where the text goes. */
type RerateWriting = {
  readonly format: (value: unknown, isLine: boolean) => string
  readonly write: (text: string) => void | Promise<void>
}

/** Writes a re-rating as JSON while it is made, `octroi-rerate/1`: every adjustment on a line of its own, so that none
 * is kept in memory. */
export const openRerateText = (
  { period, provider, model }: RerateAsked,
  { name, bookVersion }: { readonly name: string; readonly bookVersion: string },
  { format, write }: RerateWriting,
) => {
  const [from, to] = [formatInstant(period.from), formatInstant(period.to)]
  const asked = { schema: 'octroi-rerate/1', from, to, provider, model, correction: { name, bookVersion } }
  let head = `${format(asked, false).replace(/\n?}$/, '')},\n  "adjustments": [`
  let count = 0
  return {
    /** Writes a page of adjustments. */
    add: async (page: readonly Rerated[]): Promise<void> => {
      const lines = page.map((each) => `${count++ === 0 ? '' : ','}\n    ${format(reratedJson(each), true)}`)
      const text = head + lines.join('')
      head = ''
      await write(text)
    },
    /** Writes the report, and what was written of it. */
    end: async (report: RerateReport, applied: RerateApplied | null): Promise<void> => {
      const tail = { ...rerateReportJson(report), applied: applied && appliedJson(report, applied) }
      await write(`${head}${count === 0 ? '' : '\n  '}],${format(tail, false).replace(/^{/, '')}\n`)
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
