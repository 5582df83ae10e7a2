import type { SpendReport } from '../../reports/spend.ts'
import { spendJson } from '../../reports/spend-json.ts'
import type { ReportRoute } from './report-route.ts'
import { spendAnswer } from './spend-answer.ts'
import { spendAsked } from './spend-asked.ts'
import { readSpendReport } from './spend-reading.ts'

/** Who spent what. */
export const spendRoute: ReportRoute<typeof spendAsked, SpendReport> = {
  name: 'spend',
  summary: 'Who spent what',
  asked: spendAsked,
  answer: spendAnswer,
  read: readSpendReport,
  json: (report) => spendJson(report),
}
