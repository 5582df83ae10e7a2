import type { Instant } from '../time.ts'

/** Which instant of a call chooses its prices. */
type RatingInstant = 'start' | 'completion'

/** The providers that rate a call by another instant than its start, and who says so. */
const ratedBy: Readonly<Record<string, { readonly by: RatingInstant; readonly source: string }>> = {
  deepseek: {
    by: 'completion',
    source: 'notes on the off-peak discount of 2025, rated by when a request completed; not confirmed',
  },
}

/** The instant that rates a call: its start, but for a provider that rates by completion, where that is known. */
export const ratedAt = (call: {
  readonly provider: string
  readonly at: Instant
  readonly completedAt?: Instant
}): Instant =>
  call.completedAt !== undefined && ratedBy[call.provider]?.by === 'completion' ? call.completedAt : call.at
