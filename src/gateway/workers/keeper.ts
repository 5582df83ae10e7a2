import { OctroiError } from '../../errors.ts'
import type { Database } from '../../ledger/database.ts'
import type { Reservation } from '../../ledger/entry.ts'
import type { Asked, Refused } from '../../limits/admit.ts'
import type { Lender } from '../../limits/lender.ts'
import type { Lent, Recall } from '../../limits/slice.ts'
import type { Clock } from '../../time.ts'
import type { RefusedRequest } from '../handle.ts'
import type { Parts } from '../parts.ts'
import { type Channel, createChannel } from './channel.ts'
import { type KeeperVerbs, protocol, type Timing, type WorkerStanding, type WorkerVerbs } from './verbs.ts'

/** What a worker is to its keeper. */
export type WorkerSeat = {
  /** A name that no other worker has had. */
  readonly name: string
  readonly send: (message: unknown) => void
  /** Ends it at once. */
  readonly kill: () => void
}

/** What the keeper serves workers by. */
type Served = {
  readonly parts: Parts
  readonly database: Database
  readonly pepper: Uint8Array
  readonly refused: (request: RefusedRequest) => void
  readonly timed: (timing: Timing) => void
}

/** The part of a gateway that keeps ledger and limits for workers: processes that pass calls on, and have neither. */
export type Keeper = {
  readonly lender: Lender
  /** Before a call of this process itself is admitted: brings back what is lent and would make it fit; null where there is
   * no such thing. */
  readonly fetch: (asked: Asked) => Promise<void> | null
  readonly serve: (served: Served) => void
  /** Takes up a worker. `hear` takes what it sends; after `left` it is dead: what it had not booked is free again, and
   * what it had expires at its lease. */
  readonly join: (seat: WorkerSeat) => {
    readonly hear: (message: unknown) => void
    readonly left: () => void
  }
  /** Tells all workers of a change, and resolves when it holds in each. One that does not answer is ended. */
  readonly tell: <Name extends 'rules' | 'keyChanged' | 'providerKeysChanged'>(
    verb: Name,
    argument: Parameters<WorkerVerbs[Name]>[0],
  ) => Promise<void>
  /** What the workers do together. */
  readonly standing: () => Pick<WorkerStanding, 'requestsInFlight' | 'residentBytes'>
}

type Member = {
  readonly seat: WorkerSeat
  readonly channel: Channel<WorkerVerbs>
  /** The calls that live there. */
  readonly open: Map<string, Reservation>
  /** What it is asked to give back. */
  recalled: Promise<void> | null
  standing: WorkerStanding
}

/** How long a call waits for what others have unused, all in all. */
const recallMsMax = 250

/** How long a worker may take to take on a change. */
const changeMsMax = 5_000

/** The verbs of the database that workers may read by. */
const readable: ReadonlySet<string> = new Set(['listKeys', 'storedKey', 'listProviderKeys'])

export const createKeeper = (lender: Lender, clock: Clock, report: (error: unknown) => void): Keeper => {
  const members = new Map<string, Member>()
  let served: Served | null = null

  const serving = (): Served => {
    if (served !== null) return served
    throw new OctroiError('internal', 'The keeper does not serve yet.')
  }

  const giveBack = (worker: string, { left, epoch }: ReturnType<WorkerVerbs['giveBack']>): void => {
    if (!members.has(worker)) return
    lender.giveBack(worker, left, epoch)
    // Who waits for a limit is tried again.
    serving().parts.admission.count({ at: clock.now(), settled: [] })
  }

  const recallOf = (member: Member, { worker, counters }: Recall): Promise<void> => {
    member.recalled ??= member.channel
      .ask('giveBack', counters, (back) => giveBack(worker, back))
      .then(
        () => {},
        () => {},
      )
      .finally(() => {
        member.recalled = null
      })
    return member.recalled
  }

  /** Resolves when all have given back, or the time is over. */
  const recallAll = async (recalls: readonly Recall[], msLeft: number): Promise<void> => {
    const asked = recalls.flatMap((recall) => {
      const member = members.get(recall.worker)
      return member === undefined ? [] : [recallOf(member, recall)]
    })
    await within(Promise.all(asked), msLeft)
  }

  const fetch = async (asked: Asked, first: readonly Recall[]): Promise<void> => {
    const until = performance.now() + recallMsMax
    for (let recalls = first; recalls.length > 0; recalls = lender.recall(asked)) {
      const msLeft = until - performance.now()
      if (msLeft <= 0) return
      await recallAll(recalls, msLeft)
    }
  }

  const lend = async (worker: string, asked: Asked, wait: boolean): Promise<Lent | Refused> => {
    const until = performance.now() + recallMsMax
    const now = () => lender.lend(worker, { ...asked, at: clock.now() }, members.size)
    let answer = now()
    while (!answer.lent && answer.recall.length > 0) {
      const msLeft = until - performance.now()
      if (msLeft <= 0) break
      await recallAll(answer.recall, msLeft)
      if (!members.has(worker)) break
      answer = now()
    }
    if (answer.lent) return answer
    if (!wait || answer.refused.action !== 'wait') return answer.refused
    let lent: Lent | null = null
    const decision = await serving().parts.waiting.admitted(() => {
      const next = members.has(worker) ? now() : null
      if (next !== null && !next.lent) return next.refused
      lent = next
      return { admitted: true, holds: [], warnings: [] }
    })
    return decision.admitted ? (lent ?? answer.refused) : decision
  }

  const verbsOf = (worker: string, member: () => Member): KeeperVerbs => {
    const taken = (callId: string): Reservation => {
      const reservation = member().open.get(callId)
      if (reservation !== undefined) return reservation
      throw new OctroiError('internal', 'This worker has no such call.')
    }
    const { booking, registry, leases, accruals, policy } = live(() => serving().parts)
    return {
      begin: (asked) => {
        if (asked.protocol !== protocol) throw otherVersion()
        return { rules: policy().rules().written, epoch: lender.epoch(), pepper: serving().pepper }
      },
      lend: ({ asked, wait }) => lend(worker, asked, wait),
      giveBack: (back) => giveBack(worker, back),
      about: (asked) => serving().parts.admission.about(asked),
      reserve: async ({ reservation, allowance, epoch, at }) => {
        const { open } = member()
        lender.used(worker, reservation.holds, at, epoch)
        const place = await booking().reserve(reservation, allowance)
        if (members.has(worker)) open.set(reservation.call.id, reservation)
        else await booking().release(reservation, 'its worker ended before it was sent')
        return place
      },
      settle: async ({ settlement, came }) => {
        const reservation = taken(settlement.callId)
        const place = await booking().settle(reservation, settlement, came)
        member().open.delete(settlement.callId)
        return place
      },
      release: async ({ callId, reason, attempt }) => {
        await booking().release(taken(callId), reason, attempt)
        member().open.delete(callId)
      },
      letGo: (callId) => {
        if (member().open.delete(callId)) leases().letGo(callId)
      },
      useSession: (use) => accruals().use(use),
      pseudonym: (name) => registry().pseudonym(name),
      object: (name) => registry().object(name),
      among: ({ upstream, ids }) => registry().among(upstream, ids),
      remember: (objects) => registry().remember(objects),
      grow: ({ name, by, model }) => registry().grow(name, by, model),
      read: ({ verb, argument }) => {
        if (!readable.has(verb)) throw new OctroiError('internal', 'Workers may not read this.')
        return serving().database.call('registry', verb, argument)
      },
      refused: (request) => serving().refused(request),
      standing: (standing) => {
        member().standing = standing
        for (const timing of standing.timings) serving().timed(timing)
      },
    }
  }

  return {
    lender,
    fetch: (asked) => {
      if (members.size === 0) return null
      const recalls = lender.recall(asked)
      return recalls.length === 0 ? null : fetch(asked, recalls)
    },
    serve: (given) => {
      served = given
    },
    join: (seat) => {
      const { name } = seat
      const member: Member = {
        seat,
        channel: createChannel<WorkerVerbs>({
          send: seat.send,
          verbs: verbsOf(name, () => member),
          report,
        }),
        open: new Map(),
        recalled: null,
        standing: { timings: [], requestsInFlight: 0, residentBytes: 0 },
      }
      members.set(name, member)
      return {
        hear: member.channel.hear,
        left: () => {
          if (!members.delete(name)) return
          member.channel.close()
          lender.gone(name)
          for (const callId of member.open.keys()) serving().parts.leases.letGo(callId)
          serving().parts.admission.count({ at: clock.now(), settled: [] })
        },
      }
    },
    tell: async (verb, argument) => {
      const told = [...members.values()].map(async ({ seat, channel }) => {
        const answered = channel.ask(verb, argument as never).then(
          () => true,
          (error: unknown) => {
            report(error)
            return false
          },
        )
        if ((await within(answered, changeMsMax)) !== true) seat.kill()
      })
      await Promise.all(told)
    },
    standing: () => {
      let [requestsInFlight, residentBytes] = [0, 0]
      for (const { standing } of members.values()) {
        requestsInFlight += standing.requestsInFlight
        residentBytes += standing.residentBytes
      }
      return { requestsInFlight, residentBytes }
    },
  }
}

/** Parts as they are when they are asked for: a reload puts others in their place. */
const live = (parts: () => Parts) => ({
  booking: () => parts().booking,
  registry: () => parts().registry,
  leases: () => parts().leases,
  accruals: () => parts().accruals,
  policy: () => parts().policy,
})

/** What comes in time, else null. */
const within = async <Result>(work: Promise<Result>, milliseconds: number): Promise<Result | null> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), milliseconds)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

const otherVersion = (): OctroiError =>
  new OctroiError(
    'bad_input',
    'The code on the disk is of another version than the gateway that runs. Stop it and start it again.',
  )
