import type { Job } from '../endpoints/job.ts'
import type { Reservation } from '../ledger/entry.ts'
import type { Parts } from './parts.ts'
import { rememberFacts } from './remember.ts'
import { openSession } from './reply-objects.ts'
import { settle } from './settle.ts'
import type { Upstream } from './upstream.ts'

/** Settles a job that has ended, by what it says that it used. Where it does not say, nothing is written and this is
 * false: nobody else knows. */
export const settleJob = async (
  parts: Parts,
  upstream: Upstream,
  { reservation, job }: { readonly reservation: Reservation; readonly job: Job },
): Promise<boolean> => {
  const { model, usage, note, reply, learned = [] } = job
  if (usage === null) return false
  const { tier = null, attributes = {}, apart = [], standing = [] } = reply ?? {}
  const measured = { tier, attributes, apart, basis: 'measured', resent: null, status: 200 } as const
  const { call } = reservation
  await rememberFacts(parts.registry, { upstream, owner: call.key }, learned)
  for (const each of standing) await openSession(parts, upstream, { call, replyId: job.id, standing: each })
  await settle(parts, reservation, upstream, { ...measured, model, usage, note })
  return true
}
