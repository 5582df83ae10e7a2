import type { Usage } from '../usage/usage.ts'
import type { MeteredWire } from './endpoint.ts'
import type { Json } from './json.ts'
import type { ObjectFacts } from './objects.ts'
import type { Reply } from './reply.ts'

/** A wire whose reply names a job, which goes on by itself and says what it used when it has ended. */
export type JobWire = MeteredWire & {
  readonly kind: 'job'
  /** The file whose size bounds the job, and where that size is read; null where the request names none. */
  readonly file: (request: Json) => { readonly id: string; readonly path: string } | null
  /** The job in a reply, or null when there is none. */
  readonly readJob: (reply: Json) => Job | null
  readonly jobPath: (job: Pick<Job, 'id'>) => string
}

/** `model`: whose price holds. `usage`: what is billed; null while that is not said. `ended`: it will not change any
 * more. `note`: how it ended, where it did not end well. */
export type Job = {
  readonly id: string
  readonly model: string | null
  readonly ended: boolean
  readonly usage: Usage | null
  readonly note: string | null
  /** What a reply says beside its usage, where the job is one: what selects the price, what is billed apart, what goes
   * on costing, and what it made known. */
  readonly reply?: Pick<Reply, 'tier' | 'attributes' | 'apart' | 'standing'>
  readonly learned?: readonly ObjectFacts[]
}
