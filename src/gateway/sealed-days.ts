import { z } from 'zod'
import { OctroiError } from '../errors.ts'
import type { Database } from '../ledger/database.ts'
import { type Day, dayOf, formatDay, type KeptSeal } from '../ledger/seal.ts'
import { thawCalls } from '../ledger/sealed/pruning.ts'
import { type Pruned, pruneDays, type Sealed, sealDays } from '../ledger/sealed/sealing.ts'
import { formatPicos } from '../money/money.ts'
import { type Clock, type Instant, parseInstant } from '../time.ts'

/** When a gateway seals days by itself, as it is configured. */
export const sealingSchema = z.strictObject({
  /** How long after its end a day is sealed. */
  afterHours: z.int().min(1).max(8_760).default(48),
  /** Days whose calls stay in the ledger itself; null: all. */
  keepDays: z.int().min(1).max(36_500).nullable().default(null),
})

/** When days are sealed and pruned. */
export type Sealing = { readonly afterHours: number; readonly keepDays: number | null }

/** What was sealed or pruned by itself. */
export type SealingEvent =
  | { readonly kind: 'sealed'; readonly day: string; readonly calls: number }
  | { readonly kind: 'pruned'; readonly day: string; readonly calls: number }

type SealAsked = {
  readonly at: Instant
  readonly afterHours: number
  readonly until?: Day | undefined
  readonly daysMax?: number | undefined
}

type PruneAsked = {
  readonly at: Instant
  readonly keepDays: number
  readonly keepSealedDays?: number | undefined
  readonly daysMax?: number | undefined
}

/** The sealed days of a gateway: one thing at a time, beside its calls. Files are written and compared in a thread of
 * their own; what the ledger's writer does for it is done in small steps. */
export type SealedDays = {
  readonly seal: (asked: SealAsked) => Promise<Sealed>
  readonly prune: (asked: PruneAsked) => Promise<Pruned>
  readonly thaw: (asked: { readonly day: Day; readonly callIds: readonly string[] | null }) => Promise<number>
  /** Begins what is due by configuration, at most once an hour, and does not wait for it. */
  readonly look: (sealing: Sealing | null) => void
  /** Takes up nothing more, and resolves when the day or step in work is done. */
  readonly close: () => Promise<void>
}

/** How often it is looked whether a day is due. */
const lookMs = 3_600_000

/** How long calls have the ledger's writer for themselves between two steps. */
const pauseMs = 20

/** A step of the sums of sealed days holds up the writer for some twenty milliseconds. */
const rolling = { rowsMost: 300, pauseMs }

export const createSealedDays = (given: {
  readonly database: Database
  /** Null where no folder of sealed days is at hand. */
  readonly folder: string | null
  readonly clock: Clock
  readonly told: (event: SealingEvent) => void
  readonly report: (error: unknown) => void
}): SealedDays => {
  const { database, clock, told, report } = given
  const ending = new AbortController()
  const { signal } = ending
  let last: Promise<unknown> = Promise.resolve()
  let lookedAt: Instant | null = null

  /** After what was asked before. */
  const alone = <Result>(work: (folder: string) => Promise<Result>): Promise<Result> => {
    const result = last.then(() => {
      if (given.folder !== null && !signal.aborted) return work(given.folder)
      throw new OctroiError('ledger_unavailable', 'No folder of sealed days is at hand here, or no longer.')
    })
    last = result.catch(() => {})
    return result
  }

  const seal = (asked: SealAsked): Promise<Sealed> =>
    alone((folder) =>
      sealDays(database, {
        ...{ folder, signal, together: 1, rolling },
        ...asked,
        onSeal: ({ day, calls }) => told({ kind: 'sealed', day: formatDay(day), calls }),
      }),
    )

  const prune = (asked: PruneAsked): Promise<Pruned> =>
    alone((folder) =>
      pruneDays(database, {
        ...{ folder, signal, pauseMs },
        ...asked,
        onPruned: ({ day, calls }) => told({ kind: 'pruned', day: formatDay(day), calls }),
      }),
    )

  const due = async ({ afterHours, keepDays }: Sealing, at: Instant): Promise<void> => {
    await seal({ at, afterHours })
    if (keepDays !== null) await prune({ at, keepDays })
  }

  return {
    seal,
    prune,
    thaw: (asked) => alone((folder) => thawCalls(database, { folder, ...asked })),
    look: (sealing) => {
      const at = clock.now()
      if (sealing === null || given.folder === null || signal.aborted) return
      if (lookedAt !== null && at >= lookedAt && at - lookedAt < lookMs) return
      lookedAt = at
      due(sealing, at).catch((error: unknown) => {
        if (!signal.aborted) report(error)
      })
    },
    close: async () => {
      ending.abort()
      await last
    },
  }
}

/** Where sealed days are asked for. */
export const sealedDaysPath = '/octroi/v1/sealed-days'

const dayText = z.string().regex(/^\d{4}-\d{2}-\d{2}$/)
const daysNumber = z.int().min(0).max(999_999)
const daysMax = z.int().min(1).max(10_000).optional().describe('How many days this request does at most.')

/** Asks for days to be sealed. */
export const sealRequest = z.strictObject({
  until: dayText.optional().describe('The last day to seal; all that are ready unless said.'),
  afterHours: daysNumber.default(48).describe('How long after its end a day is ready.'),
  daysMax,
})

/** Asks for the calls of sealed days to leave the ledger's own file. */
export const pruneRequest = z.strictObject({
  keepDays: daysNumber.describe('Days whose calls stay in the ledger itself.'),
  keepSealedDays: daysNumber.optional().describe('Give up files of days that are older.'),
  daysMax,
})

/** Asks for calls of a sealed day to be put back, to be corrected. */
export const thawRequest = z.strictObject({
  day: dayText,
  callIds: z.array(z.string().max(200)).max(1_000).nullable().describe('Null: all calls of the day.'),
})

/** Reads what is asked of sealed days. Throws `bad_input` that names what is wrong. */
export const readSealedAsked = <Request extends z.ZodType>(
  request: Request,
  body: unknown,
): z.output<Request> => {
  const parsed = request.safeParse(body)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new OctroiError('bad_input', `${issue?.path.join('.') || 'the body'}: ${issue?.message}.`)
}

/** Reads a day: `2023-11-15`. Throws `bad_instant`. */
export const parseDay = (text: string): Day => dayOf(parseInstant(text))

/** What was sealed, as JSON. */
export const sealedJson = (folder: string, { seals, waiting }: Sealed) => ({
  ...{ schema: 'octroi-ledger-seal/1', folder, sealed: seals.map(sealJson) },
  waiting: waiting.map(formatDay),
})

const sealJson = ({ day, file, sha256, bytes, calls, entries, charges, sums }: KeptSeal) => ({
  ...{ day: formatDay(day), file, sha256, bytes, calls, entries, charges },
  sums: Object.fromEntries(Object.entries(sums).map(([currency, sum]) => [currency, formatPicos(sum)])),
})

/** What was pruned, as JSON. */
export const prunedJson = ({ days, dropped }: Pruned) => ({
  schema: 'octroi-ledger-prune/1',
  pruned: days.map(({ day, calls }) => ({ day: formatDay(day), calls })),
  dropped: dropped.map(formatDay),
})
