/** A system call of a traced process: when it began and ended, as places in the order in which the tracer saw it. */
export type SystemCall = {
  readonly name: string
  /** What its first argument is: a path, or a connection as `TCP:[from->to]`. */
  readonly on: string
  readonly text: string
  readonly began: number
  readonly ended: number
  readonly result: number
}

/** Reads what `strace -f -yy` writes. A call that was interrupted by others of other threads has two lines. */
export const readTrace = (trace: string): readonly SystemCall[] => {
  const calls: SystemCall[] = []
  const begun = new Map<string, { readonly began: number; readonly text: string }>()
  for (const [place, line] of trace.split('\n').entries()) {
    const [, thread = '', what = ''] = /^(\d+) +(.*)$/s.exec(line) ?? []
    if (what.endsWith('<unfinished ...>')) {
      begun.set(thread, { began: place, text: what })
      continue
    }
    const resumed = what.startsWith('<... ') ? begun.get(thread) : undefined
    if (what.startsWith('<... ') && resumed === undefined) continue
    const text = resumed === undefined ? what : resumed.text + what
    const [, name, on] = /^(\w+)\(\d+<(.*?)>[,)\s]/s.exec(text) ?? []
    const [, result] = /\) += (-?\d+)[^)]*$/.exec(what) ?? []
    if (name === undefined || on === undefined || result === undefined) continue
    calls.push({ name, on, text, began: resumed?.began ?? place, ended: place, result: Number(result) })
  }
  return calls
}

const sends = ['write', 'writev', 'sendto', 'sendmsg']

/** A write to the log of a ledger that contains a text, and the first flush of the log after it. */
const flushedWrite = (
  calls: readonly SystemCall[],
  containing: string,
): { readonly wrote: SystemCall; readonly flushed: SystemCall } | null => {
  const ofLog = calls.filter(({ on }) => on.endsWith('ledger.sqlite-wal'))
  const wrote = ofLog.find(({ name, text }) => name === 'pwrite64' && text.includes(containing))
  const flushed = ofLog.find(
    ({ name, began, result }) =>
      /^f(data)?sync$/.test(name) && result === 0 && began > (wrote?.ended ?? Number.POSITIVE_INFINITY),
  )
  return wrote === undefined || flushed === undefined ? null : { wrote, flushed }
}

/** What the trace shows of one call, in order: its reservation written, the log flushed, its first byte to the vendor,
 * the log flushed again, its reply to the client. Each after the other has ended, or null where it is not so. */
export const orderOf = (
  calls: readonly SystemCall[],
  of: {
    readonly reserved: string
    readonly sent: string
    readonly vendorPort: number
    readonly replied: string
  },
): readonly number[] | null => {
  const reservation = flushedWrite(calls, of.reserved)
  const sent = calls.filter(({ name, on }) => sends.includes(name) && on.includes('TCP'))
  const toVendor = sent.find(({ on, text }) => on.endsWith(`:${of.vendorPort}]`) && text.includes(of.sent))
  const toClient = sent.find(({ text }) => text.includes(of.replied))
  if (reservation === null || toVendor === undefined || toClient === undefined) return null
  const again = calls.find(
    ({ name, on, began, result }) =>
      /^f(data)?sync$/.test(name) &&
      on.endsWith('ledger.sqlite-wal') &&
      result === 0 &&
      began > toVendor.ended,
  )
  if (again === undefined) return null
  const { wrote, flushed } = reservation
  return [wrote.ended, flushed.ended, toVendor.began, again.ended, toClient.began]
}
