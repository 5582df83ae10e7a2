import type { Admission } from '../../limits/admit.ts'
import type { LimitSubject } from '../../limits/pattern.ts'
import type { Channel } from './channel.ts'
import type { KeeperVerbs, StateAbout } from './verbs.ts'

/** Where the limits of a call stand, for a worker that has no counters: what the keeper last said of this call. Each look
 * asks anew; the first finds nothing yet. */
export const createLimitLook = (keeper: Channel<KeeperVerbs>): Admission['about'] => {
  const known = new WeakMap<LimitSubject, readonly StateAbout[]>()
  const asking = new WeakSet<LimitSubject>()
  return (asked) => {
    const { subject } = asked
    if (!asking.has(subject)) {
      asking.add(subject)
      keeper
        .ask('about', asked, (states) => known.set(subject, states))
        .then(
          () => asking.delete(subject),
          () => asking.delete(subject),
        )
    }
    return known.get(subject) ?? []
  }
}
