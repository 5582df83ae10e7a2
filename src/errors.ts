/** Every error code of Octroi: the HTTP status it has on the wire, the exit code it has on the command line,
 * and what it means. `docs/errors.md` explains each; `test/tidy.test.ts` holds the two together.
 * Exit codes: 1 error, 2 usage, 3 policy violated, 4 data incomplete (DESIGN 5.5). */
export const errorCodes = {
  bad_input: { status: 400, exit: 2, means: 'A value given to Octroi cannot be used' },
  bad_json: { status: 400, exit: 2, means: 'A text that should be JSON is not' },
  bad_number: { status: 400, exit: 2, means: 'A number is malformed, negative, too large or not whole' },
  bad_instant: { status: 400, exit: 2, means: 'A date or instant is malformed' },
  unknown_meter: { status: 400, exit: 2, means: 'A meter is not in the meter table' },
  unknown_provider: { status: 404, exit: 2, means: 'No provider of that name is configured' },
  unknown_model: { status: 400, exit: 4, means: 'The price book has no such model' },
  unpriced: {
    status: 400,
    exit: 4,
    means: 'Something that would be used has no price, so it cannot be held',
  },
  unbounded: { status: 400, exit: 3, means: 'The most a call can cost is unknown, so it cannot be held' },
  currency_mismatch: { status: 400, exit: 2, means: 'Amounts of different currencies met' },
  overlapping_prices: { status: 500, exit: 1, means: 'Two rows of the price book hold at one instant' },
  ambiguous_alias: { status: 500, exit: 1, means: 'A name stands for several models at one time' },
  bad_price_row: { status: 500, exit: 1, means: 'A row of the price book is malformed' },
  bad_model_row: { status: 500, exit: 1, means: 'A row of the model facts is malformed' },
  bad_limit_row: { status: 500, exit: 1, means: "A row of the vendors' rate limits is malformed" },
  missing_key: { status: 401, exit: 1, means: 'The call carries no key' },
  wrong_key: { status: 401, exit: 1, means: 'The key is not known here' },
  revoked_key: { status: 401, exit: 1, means: 'The key was revoked' },
  expired_key: { status: 401, exit: 1, means: 'The key has expired' },
  not_allowed: { status: 403, exit: 3, means: 'The key may not do this' },
  unknown_path: { status: 404, exit: 1, means: 'Octroi has no such route' },
  no_websocket: { status: 400, exit: 1, means: 'A WebSocket was asked for, and Octroi passes none' },
  unknown_object: { status: 404, exit: 1, means: 'The object does not exist for this key' },
  budget_exceeded: { status: 402, exit: 3, means: 'The call could pass the cap of a limit on cost' },
  rate_limited: { status: 429, exit: 3, means: 'The call could pass the cap of a limit on another measure' },
  body_too_large: { status: 413, exit: 1, means: 'The request body is larger than the configured cap' },
  upstream_unreachable: { status: 502, exit: 1, means: 'The provider could not be reached' },
  upstream_timeout: { status: 504, exit: 1, means: 'The provider did not answer in time' },
  upstream_broken: { status: 502, exit: 1, means: 'The provider broke off its reply' },
  ledger_conflict: { status: 503, exit: 1, means: 'A call id was used twice with different content' },
  ledger_unavailable: { status: 503, exit: 1, means: 'The ledger cannot be written' },
  bill_unexplained: { status: 409, exit: 4, means: 'The bill is not explained, so it is not closed' },
  period_closed: { status: 409, exit: 1, means: 'A period of the bill is closed' },
  rerate_running: { status: 409, exit: 1, means: 'Another re-rating is at work' },
  policy_outdated: { status: 412, exit: 1, means: 'The rules have changed since they were read' },
  ledger_locked: { status: 503, exit: 1, means: 'Another process writes this ledger' },
  ledger_corrupt: { status: 503, exit: 1, means: 'The ledger does not agree with itself' },
  client_gone: { status: 499, exit: 1, means: 'The client left before its call was sent' },
  overloaded: { status: 503, exit: 1, means: 'Octroi has more work in flight than it accepts' },
  internal: { status: 503, exit: 1, means: 'A fault of Octroi itself' },
} as const satisfies Record<string, { status: number; exit: 1 | 2 | 3 | 4; means: string }>

export type ErrorCode = keyof typeof errorCodes

/** The one error Octroi throws. `message` says what happened, to which thing, and what to do;
 * `details` are data for machines and never hold keys or content. */
export class OctroiError extends Error {
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.name = 'OctroiError'
    this.code = code
    this.details = details
  }
}
