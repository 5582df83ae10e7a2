/** The door of the sandbox: an offline double of the vendors, with books of its own. */
export type { Account, AccountOptions, Payment } from './account.ts'
export type { LimitsOption } from './admission.ts'
export type { BilledCall, BilledUsage, BookRow, BookTotal, RawPriceRow } from './books.ts'
export type { Fault, Faults } from './faults.ts'
export { textOfTokens } from './replies.ts'
export { createSandbox, type Sandbox, type SandboxOptions } from './sandbox.ts'
