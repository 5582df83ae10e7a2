import { formatInstant, type Instant, parseInstant } from '../time.ts'
import type { Usage } from '../usage/usage.ts'

/** Between which tokens the truth of one meter is; `high` is null where nothing bounds it from above. */
export type TokenRange = { readonly low: number; readonly high: number | null }

/** What the note of a counted run says for others to read: when the vendor ended it, and its intervals. */
export type RunNote = { readonly endedAt: Instant | null; readonly ranges: ReadonlyMap<string, TokenRange> }

/** The note of the settlement of a run that was counted: how it ended and when, the rule, and between which quantities
 * the truth is, meter by meter: `interval: input_text_tokens 1050..3098, output_text_tokens 200..328`. What nothing
 * bounds from above has no second number. */
export const formatRunNote = (counted: {
  readonly status: string
  readonly endedAt: Instant | null
  readonly rule: string
  readonly low: Usage
  readonly high: Usage | null
}): string => {
  const { status, endedAt, rule, low, high } = counted
  const ranges = Object.keys(low).map(
    (meter) => `${meter} ${quantityOf(low, meter)}..${high === null ? '' : quantityOf(high, meter)}`,
  )
  return [
    `run ${status}`,
    'no usage on runs',
    `counted: ${rule}`,
    ...(endedAt === null ? [] : [`ended ${formatInstant(endedAt)}`]),
    `interval: ${ranges.join(', ')}`,
  ].join('; ')
}

/** Reads what such a note says. Another note says nothing: no instant and no intervals. */
export const readRunNote = (note: string | null): RunNote => {
  const written = /(?:^|; )interval: ([^;]*)/.exec(note ?? '')?.[1] ?? ''
  const ended = /(?:^|; )ended (\d{4}-\d\d-\d\dT[\d:.]+Z)(?:;|$)/.exec(note ?? '')?.[1]
  return {
    endedAt: ended === undefined ? null : parseInstant(ended),
    ranges: new Map(
      [...written.matchAll(/([a-z_0-9]+) (\d{1,15})\.\.(\d{0,15})/g)].map(([, meter = '', low, high]) => [
        meter,
        { low: Number(low), high: high === '' || high === undefined ? null : Number(high) },
      ]),
    ),
  }
}

const quantityOf = (usage: Usage, meter: string): string => String(usage[meter as keyof Usage] ?? 0)
