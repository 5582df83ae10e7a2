import { parametersOf } from '../reporting/asked.ts'
import { reportPath, reports } from '../reporting/registry.ts'
import type { Operations } from './operation.ts'

/** The reports, as they are asked over HTTP. */
export const reportOperations: Operations = Object.fromEntries(
  reports.map(({ name, summary, asked, answer, errors }) => [
    `GET ${reportPath(name)}`,
    {
      summary,
      query: parametersOf(asked),
      answers: { 200: answer },
      errors: [...errors, 'bad_input', 'overloaded', 'ledger_unavailable'],
    },
  ]),
)
