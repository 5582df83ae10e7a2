import { createHash } from 'node:crypto'
import { z } from 'zod'
import { OctroiError } from '../../errors.ts'
import type { Database } from '../../ledger/database.ts'
import { openSeals } from '../../ledger/seal.ts'
import { type OverlayFile, readOverlayFiles } from '../../pricing/overlays/overlay-file.ts'
import type { CorrectionFiles } from '../../reports/rerate-correction.ts'
import type { Instant } from '../../time.ts'
import { applyAdjustments } from '../adjustments.ts'
import { applyImports } from '../imports.ts'
import type { Parts } from '../parts.ts'
import type { SealedDays } from '../sealed-days.ts'
import { wholeHour } from './asked.ts'
import { applyRerate, type RerateAsked, type RerateWriter } from './rerate.ts'
import { openRerateText } from './rerate-text.ts'
import type { PriceFilePaths, RerateSettings } from './rerate-thread.ts'
import { withRerateWorker } from './rerate-worker.ts'
import { openTaker, type Taker } from './taker.ts'

/** Where a re-rating is asked for. */
export const reratePath = '/octroi/v1/rerate'

const named = z.string().min(1).max(200).nullable().optional()

/** Asks for a re-rating: what the options of the command are, with the correction itself in the place of its file. */
export const rerateRequest = z.strictObject({
  from: wholeHour.describe('From this hour on: a day, which is midnight UTC, or an instant.'),
  to: wholeHour.describe('Up to but not including this hour.'),
  correction: z
    .union([z.looseObject({}), z.array(z.looseObject({})).min(1).max(100)])
    .optional()
    .describe('A price file with the corrected rows, or several; the book as it is now unless said.'),
  provider: named.describe('Only calls of this provider.'),
  model: named.describe('Only calls of this model, as served.'),
  apply: z.boolean().default(false).describe('Write the adjustments; else nothing is written.'),
})

/** Re-ratings by a gateway, one at a time. */
export type Rerating = {
  /** Answers with a re-rating while it is made, as the command writes it. What fails before the first adjustment is
   * found is refused as anything else; a later failure breaks the reply off. Throws `bad_input`, and `rerate_running`
   * where another one is at work. */
  readonly answer: (body: unknown) => Promise<Response>
  /** Begins no more, breaks off the one that is at work, and resolves when it has ended. */
  readonly close: () => Promise<void>
}

/** What re-ratings go by. `prices`: where the price files are, looked at anew each time. */
export type ReratingOptions = {
  readonly parts: Pick<Parts, 'ledger' | 'admission' | 'clock'>
  readonly database: Database
  readonly sealed: string | null
  readonly sealedDays: Pick<SealedDays, 'thaw'>
  readonly prices: (() => Promise<PriceFilePaths>) | null
  readonly report: (error: unknown) => void
}

/** As many calls as are put back at once. */
const thawedMost = 500

/** Makes what answers re-ratings. Prices are read and applied in a thread of its own. */
export const createRerating = (options: ReratingOptions): Rerating => {
  const { parts, database, sealed, sealedDays, prices, report } = options
  const seals = openSeals(database)
  const writer: RerateWriter = {
    prunedDays: async () => (await seals.list()).flatMap(({ day, isPruned }) => (isPruned ? [day] : [])),
    thaw: async (wanted) => {
      for (const { day, callIds } of wanted) {
        for (let first = 0; first < callIds.length; first += thawedMost) {
          await sealedDays.thaw({ day, callIds: callIds.slice(first, first + thawedMost) })
        }
      }
    },
    adjust: async (adjustments) => (await applyAdjustments(parts, adjustments)).outcomes,
    post: async (lines) => {
      const { replaced, repeated } = await applyImports(parts, lines)
      return replaced + repeated
    },
  }

  const settingsOf = async ({ asked, correction }: Read): Promise<RerateSettings> => {
    if (prices === null) {
      throw new OctroiError(
        'bad_input',
        'This gateway does not know its price files. Run octroi rerate on the command line.',
      )
    }
    return { file: await seals.ledgerFile(), sealed, prices: await prices(), correction, asked }
  }

  const rerate = async (read: Read, { write, check }: Taker): Promise<void> => {
    const { asked, isApplied } = read
    await withRerateWorker(await settingsOf(read), async ({ correction, plan }) => {
      const text = openRerateText(asked, correction, { format: (value) => JSON.stringify(value), write })
      const planned = await plan(text.add)
      const again: typeof plan = (told) =>
        plan(async (page) => {
          check()
          await told(page)
        })
      await text.end(planned, isApplied ? await applyRerate(again, writer, asked.period) : null)
    })
  }

  let running: { readonly ended: Promise<void>; readonly stop: () => void } | null = null
  let closed = false

  return {
    answer: async (body) => {
      const read = readRequest(body, parts.clock.now())
      if (closed) throw new OctroiError('overloaded', 'The gateway is stopping. Ask the next one.')
      if (running !== null) {
        throw new OctroiError('rerate_running', 'Another re-rating is at work. Ask again when it has ended.')
      }
      const taker = openTaker()
      const work = rerate(read, taker)
      const ended = work.then(
        () => {
          running = null
          taker.end()
        },
        (error: unknown) => {
          running = null
          if (taker.hasBegun() && !taker.isGone()) report(error)
          taker.fail(error)
        },
      )
      running = { ended, stop: taker.stop }
      await Promise.race([taker.begun, work])
      return new Response(taker.readable, { headers: { 'content-type': 'application/json' } })
    },
    close: async () => {
      closed = true
      running?.stop()
      await running?.ended
    },
  }
}

/** What is asked, read. */
type Read = {
  readonly asked: RerateAsked
  readonly correction: CorrectionFiles | null
  readonly isApplied: boolean
}

/** Reads a request. Throws `bad_input`, which names the field. */
const readRequest = (body: unknown, at: Instant): Read => {
  const parsed = rerateRequest.safeParse(body)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const message = issue?.message.replace(/\.$/, '')
    throw new OctroiError('bad_input', `${issue?.path.join('.') || 'the body'}: ${message}.`)
  }
  const { from, to, correction, provider = null, model = null, apply } = parsed.data
  if (from >= to) throw new OctroiError('bad_input', 'from is not before to.')
  return {
    asked: { period: { from, to }, provider, model, at },
    correction: correction === undefined ? null : readCorrection(correction),
    isApplied: apply,
  }
}

/** A correction is named by what is in it. */
const readCorrection = (json: unknown): CorrectionFiles => {
  const hash = createHash('sha256').update(JSON.stringify(json)).digest('hex').slice(0, 12)
  return { name: `correction ${hash}`, files: filesOf(json) }
}

const filesOf = (json: unknown): readonly OverlayFile[] => {
  try {
    return readOverlayFiles(json)
  } catch (error) {
    if (!(error instanceof OctroiError)) throw error
    throw new OctroiError('bad_input', `correction: ${error.message}`)
  }
}
