import { OctroiError } from '../../errors.ts'
import type { Admission } from '../../limits/admit.ts'
import type { Slices } from '../../limits/slices.ts'
import type { ModelFacts } from '../../pricing/model-facts.ts'
import type { PriceBook } from '../../pricing/price-book.ts'
import type { Clock } from '../../time.ts'
import type { Counting } from '../counting.ts'
import type { Forward } from '../forward.ts'
import type { GatewayBounds, Parts } from '../parts.ts'
import type { Keys } from '../registry/keys.ts'
import type { Rules } from '../rules.ts'
import type { SpoolPlace } from '../spool/spool-queue.ts'
import { createStreamLimits } from '../stream-limit.ts'
import { noVendorPools } from '../vendor-limits/vendor-pools.ts'
import type { Watches } from '../watches.ts'
import { admitFromSlices } from './admit-from-slices.ts'
import type { Channel } from './channel.ts'
import { createLimitLook } from './limit-look.ts'
import type { KeeperVerbs } from './verbs.ts'

type Given = {
  readonly keeper: Channel<KeeperVerbs>
  readonly slices: Slices
  readonly keys: Keys
  readonly rules: () => Rules
  readonly clock: Clock
  readonly book: PriceBook
  readonly models: ModelFacts
  readonly bounds: GatewayBounds
  readonly forward: Forward
  readonly counting: Counting
}

/** Spooled calls whose place is remembered until their reply has left. */
const placesMax = 10_000

/** As long as in the keeper, which renews it. */
const leaseMs = 60_000

/** What the steps of a call share in a worker. What it does not have is the keeper's, and no step of a call whose reply
 * says what it cost asks for it here. */
export const workerParts = (
  given: Given,
): { readonly parts: Parts; readonly watches: Watches; readonly liveCalls: () => number } => {
  const { keeper, slices, keys, rules, clock, book } = given
  const { admitCall, takenOf } = admitFromSlices(slices, keeper, {
    clock,
    lowers: () => rules().limits.some(({ action }) => action === 'clamp'),
  })
  const live = new Set<string>()
  const places = new Map<string, SpoolPlace>()

  const placed = (callId: string, place: SpoolPlace | null): SpoolPlace | null => {
    if (place !== null) places.set(callId, place)
    const oldest = places.size > placesMax ? places.keys().next().value : undefined
    if (oldest !== undefined) places.delete(oldest)
    return place
  }

  const admission: Admission = {
    ...slices,
    about: createLimitLook(keeper),
    ...keepersOnly('admit', 'look', 'hold', 'state', 'replace'),
  }
  const parts: Parts = {
    ...{ clock, book, models: given.models, bounds: given.bounds },
    ...{ forward: given.forward, counting: given.counting, admission, admitCall },
    streamLimits: createStreamLimits({ admission, book }),
    waiting: keepersOnly('admitted'),
    booking: {
      reserve: async (reservation, allowance) => {
        const { id } = reservation.call
        live.add(id)
        const { epoch, at } = takenOf(reservation.holds)
        try {
          return placed(id, await keeper.ask('reserve', { reservation, allowance, epoch, at }))
        } catch (error) {
          live.delete(id)
          if (error instanceof OctroiError && error.details['unsent'] === true) {
            keeper.tell('giveBack', { left: reservation.holds, epoch })
          }
          throw error
        }
      },
      settle: async ({ call }, settlement, came) => {
        live.delete(call.id)
        return placed(call.id, await keeper.ask('settle', { settlement, came }))
      },
      release: ({ call }, reason, attempt) => {
        live.delete(call.id)
        return keeper.ask('release', { callId: call.id, reason, ...(attempt !== undefined && { attempt }) })
      },
      ...keepersOnly('reserveElsewhere'),
    },
    ledger: {
      ...keepersOnly('reserve', 'settle', 'release', 'adjust', 'renew', 'expire', 'unended', 'life'),
      ...keepersOnly('balances', 'close'),
      ...keepersOnly('closePeriod'),
      imports: keepersOnly('post'),
      accruals: keepersOnly('use', 'keep', 'end', 'due', 'post', 'open'),
    },
    spool: { placeOf: (callId) => places.get(callId) ?? null, ...keepersOnly('reserve') },
    registry: {
      ...keys,
      pseudonym: (name) => keeper.ask('pseudonym', name),
      object: (name) => keeper.ask('object', name),
      among: async (upstream, ids) => (ids.length === 0 ? [] : keeper.ask('among', { upstream, ids })),
      remember: (objects) => keeper.ask('remember', objects),
      grow: (name, by, model) => keeper.ask('grow', { name, by, ...(model !== undefined && { model }) }),
      ...keepersOnly('findEndUser', 'forgetEndUser', 'watch', 'unwatch', 'watched', 'keep', 'kept'),
      ...keepersOnly('onlyKept', 'release', 'putStore', 'dropStore', 'stores'),
    },
    leases: {
      until: (at) => at + leaseMs,
      hold: (callId) => live.add(callId),
      letGo: (callId) => {
        if (live.delete(callId)) keeper.tell('letGo', callId)
      },
      count: () => live.size,
      ...keepersOnly('sweep'),
    },
    accruals: {
      use: (use) => keeper.ask('useSession', use),
      ...keepersOnly('keep', 'end', 'close', 'open', 'stop'),
    },
    vectorStorage: keepersOnly('seen', 'gone', 'expire', 'storesOf'),
    till: keepersOnly('ring'),
    policy: { rules, ...keepersOnly('version', 'replace') },
    vendorPools: { ...noVendorPools, ...keepersOnly('state', 'waiting', 'close') },
  }
  return {
    parts,
    watches: keepersOnly('checkRoom', 'began', 'ended', 'catchUp', 'resume', 'close'),
    liveCalls: () => live.size,
  }
}

/** Verbs that are the keeper's: a step that asked a worker for one has a fault, and says so. */
const keepersOnly = <Name extends string>(...names: readonly Name[]): Readonly<Record<Name, () => never>> =>
  Object.fromEntries(
    names.map((name) => [
      name,
      () => {
        throw new OctroiError('internal', `"${name}" is not a worker's. Please report this.`)
      },
    ]),
  ) as Record<Name, () => never>
