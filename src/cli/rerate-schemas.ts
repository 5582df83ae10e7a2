import { rerateAnswer } from '../gateway/reporting/rerate-answer.ts'

/** What `octroi rerate` prints, by the name of its file in `schemas/`. */
export const rerateSchemas = { 'rerate-1': rerateAnswer } as const
