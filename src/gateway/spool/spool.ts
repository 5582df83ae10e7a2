import { OctroiError } from '../../errors.ts'
import type { Reservation, Settlement } from '../../ledger/entry.ts'
import type { Ledger, Outcome } from '../../ledger/ledger.ts'
import type { Picos } from '../../money/money.ts'
import { balancesWith } from './spool-balances.ts'
import type { SpoolFile } from './spool-file.ts'
import { createSpoolQueue, type SpoolPlace, type SpoolStanding } from './spool-queue.ts'

/** What happened to the spool: it took the first verb, its file cannot be written either, all of it is in the ledger. */
export type SpoolEvent = { readonly is: 'began' | 'in-memory' | 'posted' } & SpoolStanding

/** Stands before a ledger that may fail, and keeps what it could not take until it can be written again. */
export type Spool = {
  /** The same ledger. An end that it cannot take, of a call that is passed on from here, waits in the spool and counts
   * as done; nothing expires while anything waits. Its balances count what waits as if it were posted. */
  readonly ledger: Ledger
  /** Reserves a call that is passed on from here. Where the ledger cannot take it, the call waits in the spool if its
   * most fits into `allowance` beside all that waits of its key; else it rejects as the ledger does. Null: it is in the
   * ledger. */
  readonly reserve: (reservation: Reservation, allowance: Picos | null) => Promise<SpoolPlace | null>
  /** Where a call waits, or null where it does not. */
  readonly placeOf: (callId: string) => SpoolPlace | null
  readonly standing: () => SpoolStanding
  /** Posts all that waits to the ledger, now. Rejects as the ledger does; what waits then goes on waiting. */
  readonly post: () => Promise<void>
}

/** What a spool is made of. */
export type SpoolParts = {
  /** The ledger that calls are written to first. */
  readonly ledger: Ledger
  /** The same one without anything deferred: what it has taken is on the disk. */
  readonly written: Ledger
  /** Null: what waits is in memory only. */
  readonly file: SpoolFile | null
  readonly report: (error: unknown) => void
  readonly told: (event: SpoolEvent) => void
  /** How many calls may wait that are reserved there. */
  readonly callsMax?: number
}

/** The currency of allowances. */
const allowanceCurrency = 'USD'

/** Verbs that are posted in one round, and so in one commit. */
const postedTogether = 200

/** How long until the ledger is tried again while nobody calls: from the first to the longest wait. */
const firstWaitMs = 250
const longestWaitMs = 10_000

/** Opens a spool. What an earlier process left in its file is posted; where that fails it waits on. Rejects when the
 * file cannot be read. */
export const openSpool = async (parts: SpoolParts): Promise<Spool> => {
  const { ledger, written, file, report, told, callsMax = 10_000 } = parts
  const queue = createSpoolQueue(file, () => told({ is: 'in-memory', ...queue.standing() }))
  /** Calls that are passed on from here and have not ended. */
  const open = new Map<string, Reservation>()
  let posting: Promise<void> | null = null
  let timer: NodeJS.Timeout | undefined
  let waitMs = firstWaitMs
  let isClosed = false

  const postGroup = async (): Promise<void> => {
    const group = queue.next(postedTogether)
    const outcomes = await Promise.allSettled(
      group.map((spooled): Promise<Outcome> => {
        if (spooled.verb === 'reserve') return written.reserve(spooled.entry)
        return spooled.verb === 'settle' ? written.settle(spooled.entry) : written.release(spooled.entry)
      }),
    )
    const failed = outcomes.findIndex((each) => each.status === 'rejected' && isForLater(each.reason))
    const posted = failed === -1 ? outcomes : outcomes.slice(0, failed)
    for (const [index, outcome] of posted.entries()) {
      const spooled = group[index]
      if (outcome.status === 'rejected') {
        report(outcome.reason)
        queue.keep()
      } else if (spooled !== undefined && isOdd(outcome.value)) report(oddOutcome(spooled, outcome.value))
    }
    queue.drop(posted.length)
    const failure = outcomes[failed]
    if (failure?.status === 'rejected') throw failure.reason
  }

  const postAll = async (): Promise<void> => {
    const before = queue.standing()
    while (!queue.isEmpty()) await postGroup()
    waitMs = firstWaitMs
    clearTimeout(timer)
    await queue.clear().catch(report)
    told({ is: 'posted', ...before })
  }

  const post = (): Promise<void> => {
    if (queue.isEmpty() && posting === null) return Promise.resolve()
    posting ??= postAll().finally(() => {
      posting = null
    })
    return posting
  }

  /** Tries again by itself, less and less often. */
  const tryLater = (): void => {
    clearTimeout(timer)
    if (isClosed) return
    timer = setTimeout(() => {
      waitMs = Math.min(waitMs * 2, longestWaitMs)
      post().catch(async () => {
        await queue.file({ again: true })
        tryLater()
      })
    }, waitMs)
    timer.unref()
  }

  const wait = async (failure: unknown, ...verbs: Parameters<typeof queue.add>): Promise<void> => {
    const isFirst = queue.isEmpty()
    queue.add(...verbs)
    await queue.file()
    if (!isFirst) return
    report(failure)
    told({ is: 'began', ...queue.standing() })
    tryLater()
  }

  const takes = ({ call, most, currency }: Reservation, allowance: Picos | null): boolean =>
    allowance !== null &&
    most !== null &&
    currency === allowanceCurrency &&
    queue.size() < callsMax &&
    queue.amountOf(call.key) + most <= allowance

  const end = async (
    ends:
      | { verb: 'settle'; entry: Settlement }
      | { verb: 'release'; entry: Parameters<Ledger['release']>[0] },
    write: () => Promise<Outcome>,
  ): Promise<Outcome> => {
    const { callId } = ends.entry
    const reservation = open.get(callId)
    if (queue.has(callId) === 'ended') return 'repeated'
    if (reservation === undefined) {
      if (queue.has(callId) !== null) await post()
      return write()
    }
    if (queue.has(callId) === null) {
      try {
        const outcome = await write()
        open.delete(callId)
        return outcome
      } catch (error) {
        if (!isOutage(error)) throw error
        if (queue.has(callId) === 'ended') return 'repeated'
        if (!open.delete(callId)) throw error
        // The ledger may have the reservation or not: posted again it is repeated.
        await wait(error, { verb: 'reserve', entry: reservation }, ends)
        return 'done'
      }
    }
    open.delete(callId)
    await wait(null, ends)
    return 'done'
  }

  const left = file === null ? { verbs: [], torn: 0 } : await file.read()
  if (left.torn > 0) report(tornLines(left.torn))
  if (left.verbs.length > 0) {
    queue.takeUp(left.verbs)
    await post().catch((error: unknown) => {
      report(error)
      tryLater()
    })
  } else if (left.torn > 0) await queue.clear().catch(report)

  return {
    reserve: async (reservation, allowance) => {
      const { id } = reservation.call
      try {
        await post()
        await ledger.reserve(reservation)
        open.set(id, reservation)
        return null
      } catch (error) {
        if (!isOutage(error) || !takes(reservation, allowance)) throw error
        open.set(id, reservation)
        await wait(error, { verb: 'reserve', entry: reservation })
        return queue.placeOf(id)
      }
    },
    placeOf: queue.placeOf,
    standing: queue.standing,
    post,
    ledger: {
      ...ledger,
      settle: (settlement) => end({ verb: 'settle', entry: settlement }, () => ledger.settle(settlement)),
      release: (release) => end({ verb: 'release', entry: release }, () => ledger.release(release)),
      expire: async (at) => {
        const isPosted = await post().then(
          () => true,
          () => false,
        )
        if (!isPosted) return []
        const expired = await ledger.expire(at)
        for (const { call } of expired) open.delete(call.id)
        return expired
      },
      balances: async () =>
        balancesWith(await ledger.balances(), queue.next(Number.POSITIVE_INFINITY), written.life),
      close: async () => {
        isClosed = true
        await post().catch(() => queue.file({ again: true }))
        clearTimeout(timer)
        const { calls, inMemory } = queue.standing()
        if (inMemory > 0) report(lostCalls(inMemory))
        else if (calls > 0) report(leftCalls(calls))
        await queue.close()
        await ledger.close()
      },
    },
  }
}

const isOutage = (error: unknown): boolean =>
  error instanceof OctroiError && error.code === 'ledger_unavailable'

/** The ledger may take it another time. All else it would refuse again. */
const isForLater = (error: unknown): boolean =>
  isOutage(error) || (error instanceof OctroiError && error.code === 'overloaded')

const isOdd = (outcome: Outcome): boolean => outcome === 'conflict' || outcome === 'unknown'

const oddOutcome = (spooled: Parameters<ReturnType<typeof createSpoolQueue>['add']>[0], outcome: Outcome) =>
  new OctroiError(
    'ledger_conflict',
    `The ledger answered "${outcome}" to a ${spooled.verb} from the spool. Run octroi ledger verify.`,
  )

const tornLines = (torn: number): OctroiError =>
  new OctroiError(
    'ledger_unavailable',
    `${torn} lines of the spool are not whole: they were being written when the process ended, and no call was sent for them. They are kept beside it as .kept.`,
  )

const leftCalls = (calls: number): OctroiError =>
  new OctroiError(
    'ledger_unavailable',
    `${calls} calls wait in the spool's file for the ledger. They are posted when the gateway starts again.`,
  )

const lostCalls = (calls: number): OctroiError =>
  new OctroiError(
    'ledger_unavailable',
    `${calls} calls waited in memory only and end with this process: those that the ledger has reserved expire at their most, the others are not in it.`,
  )
