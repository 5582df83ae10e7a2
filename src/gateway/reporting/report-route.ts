import type { z } from 'zod'
import type { ErrorCode } from '../../errors.ts'
import type { Database } from '../../ledger/database.ts'
import type { Clock } from '../../time.ts'

/** What reads the ledger for a report: a reader's database beside the writer's, the folder of its sealed days (null where
 * that is not at hand), and the clock. */
export type ReportSource = {
  readonly database: Database
  readonly sealed: string | null
  readonly clock: Clock
  /** Told now and then how far a long reading is, in percent, as far as is known. */
  readonly onProgress?: (percent: number) => void
}

/** A report over HTTP: `GET /octroi/v1/reports/{name}`. The command of the same name reads and writes by the same two
 * functions, so that both say the same. `asked` are the parameters of the query, each a text; `answer` is what `json`
 * gives. */
export type ReportRoute<Asked extends z.ZodType = z.ZodType, Report = unknown> = {
  readonly name: string
  readonly summary: string
  readonly asked: Asked
  readonly answer: z.ZodType
  /** What it may be refused with, beside `bad_input` and what any report may. */
  readonly errors?: readonly ErrorCode[]
  readonly read: (source: ReportSource, asked: z.output<Asked>) => Promise<Report>
  readonly json: (report: Report) => object
  /** The report as a page of HTML, where one was asked for; else null. */
  readonly page?: (report: Report) => string | null
}
