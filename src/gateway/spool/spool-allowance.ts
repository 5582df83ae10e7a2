import type { ReplyRoute } from '../../endpoints/endpoint.ts'
import type { KnownObjects } from '../../endpoints/objects.ts'
import { type Picos, parsePicos } from '../../money/money.ts'
import type { Key } from '../registry/keys.ts'
import type { SpoolPlace } from './spool-queue.ts'

/** How much money of a key may wait while the ledger cannot be written. Null where its calls are refused then: so are
 * calls that leave an object at the vendor or add to one, since whose that is could not be written either. */
export const spoolAllowance = (
  key: Key | null,
  route: Pick<ReplyRoute, 'learn'>,
  objects: Pick<KnownObjects, 'conversation'>,
): Picos | null => {
  if (key === null || key.onLedgerFailure === 'refuse') return null
  if (route.learn !== undefined || objects.conversation !== undefined) return null
  return parsePicos(key.onLedgerFailure.spool)
}

/** Says of a call that it waits for the ledger: `true`, or `memory` where no disk has it. */
export const spoolHeaders = (place: SpoolPlace | null): Record<string, string> =>
  place === null ? {} : { 'octroi-spooled': place === 'disk' ? 'true' : place }
