import type { z } from 'zod'
import type { ErrorCode } from '../../errors.ts'
import type { PriceBook } from '../../pricing/price-book.ts'
import type { ServicePromise } from '../../reports/service-promise.ts'
import type { GatewayConfig } from '../config.ts'
import { allocationRoute } from './allocation.ts'
import { type AskedTexts, readAsked } from './asked.ts'
import { billRoute } from './bill.ts'
import { receiptRoute } from './receipt.ts'
import { reconciliationRoute } from './reconciliation.ts'
import type { ReportRoute, ReportSource } from './report-route.ts'
import { serviceLevelsRoute } from './service-levels.ts'
import { spendRoute } from './spend.ts'

/** A report as it is mounted: what it is asked and what it answers, with its types inside. */
export type MountedReport = Pick<ReportRoute, 'name' | 'summary' | 'asked' | 'answer'> & {
  readonly errors: readonly ErrorCode[]
  /** Reads and writes it: as JSON, or as a page of HTML, which is a text. Throws `bad_input`, which names the parameter. */
  readonly answerTo: (
    source: ReportSource,
    query: AskedTexts,
    settings: ReportSettings,
  ) => Promise<object | string>
}

/** What of a gateway reports go by: of its configuration, its price book (null where they are only described), and what vendors
 * promise. */
export type ReportSettings = Pick<GatewayConfig, 'allocation'> & {
  readonly book: PriceBook | null
  readonly promises: readonly ServicePromise[]
}

const mounted = <Asked extends z.ZodType, Report>(
  made: (settings: ReportSettings) => ReportRoute<Asked, Report>,
): MountedReport => {
  const { name, summary, asked, answer, errors = [] } = made({ allocation: null, book: null, promises: [] })
  return {
    ...{ name, summary, asked, answer, errors },
    answerTo: async (source, query, settings) => {
      const route = made(settings)
      const report = await route.read(source, readAsked(asked, query))
      return route.page?.(report) ?? route.json(report)
    },
  }
}

/** Every report that the control plane answers. */
export const reports: readonly MountedReport[] = [
  mounted(() => spendRoute),
  mounted(() => receiptRoute),
  mounted(() => billRoute),
  mounted(({ promises }) => serviceLevelsRoute(promises)),
  mounted(({ allocation }) => allocationRoute(allocation)),
  mounted(({ book }) => reconciliationRoute(book)),
]

/** Where a report is asked for. */
export const reportPath = (name: string): string => `/octroi/v1/reports/${name}`
