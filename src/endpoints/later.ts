import type { Job, JobWire } from './job.ts'
import type { Json } from './json.ts'
import type { Run, RunWire } from './run.ts'

/** A wire whose reply names something that goes on at the vendor and is billed when it ends. */
export type LaterWire = RunWire | JobWire

/** What goes on, as a reply shows it, with the wire that reads it. */
export type Later =
  | { readonly kind: 'run'; readonly wire: RunWire; readonly seen: Run }
  | { readonly kind: 'job'; readonly wire: JobWire; readonly seen: Job }

/** What goes on in a reply; null where there is nothing. */
export const readLater = (wire: LaterWire, reply: Json): Later | null => {
  if (wire.kind === 'run') {
    const seen = wire.readRun(reply)
    return seen === null ? null : { kind: wire.kind, wire, seen }
  }
  const seen = wire.readJob(reply)
  return seen === null ? null : { kind: wire.kind, wire, seen }
}

/** Where it is asked after. */
export const laterPath = (later: Later): string =>
  later.kind === 'run' ? later.wire.runPath(later.seen) : later.wire.jobPath(later.seen)
