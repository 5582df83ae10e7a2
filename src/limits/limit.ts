import type { Picos } from '../money/money.ts'

/** What a call is, as far as limits look at it. A name that is null matches no pattern but `*`. */
export type LimitSubject = {
  readonly organization: string | null
  readonly team: string | null
  readonly project: string | null
  readonly environment: string | null
  readonly key: string | null
  readonly endUser: string | null
  readonly provider: string
  readonly model: string
  readonly endpoint: string
  readonly conversation: string | null
}

/** A cap on a measure for a scope in a window (DESIGN 5.4). A budget is a limit whose measure is `cost`. */
export type Limit = {
  readonly name: string
  /** Exact names, or prefixes that end in `*`. Every named field must match; an empty match is every call. */
  readonly match: Readonly<Partial<Record<keyof LimitSubject, string>>>
  readonly measure: 'cost'
  readonly cap: Picos
  readonly currency: string
  readonly window: CalendarWindow
  readonly action: 'refuse'
}

/** A calendar window in a zone (IANA name). The month begins at its first instant there. */
export type CalendarWindow = { readonly calendar: 'month'; readonly timeZone: string }
