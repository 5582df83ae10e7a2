import { OctroiError } from '../../errors.ts'
import type { Admitted, Asked, Refused } from '../../limits/admit.ts'
import type { Hold } from '../../limits/hold.ts'
import type { Slices } from '../../limits/slices.ts'
import type { Quote } from '../../planning/quote.ts'
import type { Clock, Instant } from '../../time.ts'
import type { AdmitCall } from '../admit-call.ts'
import type { Channel } from './channel.ts'
import { HandOver } from './handover.ts'
import type { KeeperVerbs } from './verbs.ts'

/** When holds were taken from slices, and under which limits. */
export type Taken = { readonly epoch: number; readonly at: Instant }

/** How a worker admits: from its slices, and where they do not have enough, from what the keeper lends. */
export type SliceAdmission = {
  readonly admitCall: AdmitCall
  /** How holds that it admitted were taken. */
  readonly takenOf: (holds: readonly Hold[]) => Taken
}

/** How often what was lent may be gone before it is taken. */
const triesMax = 200

/** `lowers`: whether there are limits that lower outputs. The calls of one key ask the keeper one after the other: what is lent for the first may do for the next. */
export const admitFromSlices = (
  slices: Slices,
  keeper: Channel<KeeperVerbs>,
  { clock, lowers }: { readonly clock: Clock; readonly lowers: () => boolean },
): SliceAdmission => {
  const taken = new WeakMap<readonly Hold[], Taken>()
  const turns = new Map<string | null, Promise<void>>()

  const take = (quote: Quote, call: Asked['subject']): Admitted | null => {
    const asked = askedWith(quote, call)
    const decision = slices.take(asked)
    if (!decision.admitted) return null
    taken.set(decision.holds, { epoch: slices.epoch(), at: asked.at })
    return decision
  }

  const askedWith = ({ most, currency, unpriced, pricedMost, usage }: Quote, subject: Asked['subject']) => ({
    ...{ subject, at: clock.now(), most, currency },
    quote: { unpriced, pricedMost, usage },
  })

  /** Asks the keeper, and takes what it lends before anyone else can. */
  const borrow = async (
    quote: Quote,
    subject: Asked['subject'],
    wait: boolean,
  ): Promise<Admitted | Refused | null> => {
    let admitted: Admitted | null = null
    const lent = await keeper.ask('lend', { asked: askedWith(quote, subject), wait }, (answer) => {
      if (!('lent' in answer)) return
      slices.add(answer)
      admitted = take(quote, subject)
    })
    return 'lent' in lent ? admitted : lent
  }

  /** Runs when those before it that have the same key are done, and what they took has been told. */
  const inTurn = async <Result>(key: string | null, work: () => Promise<Result>): Promise<Result> => {
    const before = turns.get(key)
    const { promise: done, resolve: finish } = Promise.withResolvers<void>()
    turns.set(key, done)
    await before
    try {
      return await work()
    } finally {
      setImmediate(() => {
        if (turns.get(key) === done) turns.delete(key)
        finish()
      })
    }
  }

  const admit = async (
    quote: Quote,
    { subject, wait }: { readonly subject: Asked['subject']; readonly wait: boolean },
  ): Promise<Admitted | Refused> => {
    for (let tries = 0; tries < triesMax; tries += 1) {
      const here = take(quote, subject)
      if (here !== null) return here
      const answer = wait
        ? await borrow(quote, subject, true)
        : await inTurn(subject.key, async () => take(quote, subject) ?? (await borrow(quote, subject, false)))
      if (answer !== null) return answer
    }
    throw new OctroiError('overloaded', 'Too many calls ask for the same limits at once. Try again shortly.')
  }

  return {
    admitCall: async (_, { call, cheap, tighten, clamp }) => {
      let quoted = cheap
      let decision = await admit(quoted, { subject: call, wait: false })
      if (!decision.admitted && decision.reason === 'exceeded') {
        const tighter = await tighten()
        if (tighter !== null) {
          quoted = tighter
          decision = await admit(quoted, { subject: call, wait: false })
        }
      }
      const { action } = decision.admitted ? { action: null } : decision
      // By how much its output would have to be lowered only the counters can say, or what it has to wait for then.
      if ((action === 'clamp' || action === 'wait') && lowers() && clamp() !== null) throw new HandOver()
      if (action === 'wait') decision = await admit(quoted, { subject: call, wait: true })
      return { decision, quoted, lowered: null }
    },
    takenOf: (holds) => taken.get(holds) ?? { epoch: slices.epoch(), at: clock.now() },
  }
}
