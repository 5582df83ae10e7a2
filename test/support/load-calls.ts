import type { Ledger } from '../../src/ledger/ledger.ts'
import type { GeneratedCall } from './generated-calls.ts'

const callsPerBatch = 2_000

/** Writes calls through the ledger's own verbs, many at a time, in the order in which they were made. `onBatch` is told
 * how many are written. */
export const loadCalls = async (
  ledger: Ledger,
  calls: Iterable<GeneratedCall>,
  onBatch: (written: number) => void = () => {},
): Promise<void> => {
  let [batch, written]: [GeneratedCall[], number] = [[], 0]
  const write = async (): Promise<void> => {
    await writeBatch(ledger, batch)
    written += batch.length
    batch = []
    onBatch(written)
  }
  for (const call of calls) {
    batch.push(call)
    if (batch.length === callsPerBatch) await write()
  }
  if (batch.length > 0) await write()
}

const writeBatch = async (ledger: Ledger, calls: readonly GeneratedCall[]): Promise<void> => {
  const done = calls.flatMap(({ reservation, end }) => {
    const reserved = ledger.reserve(reservation)
    if (end === null) return [reserved]
    return [reserved, 'reason' in end ? ledger.release(end) : ledger.settle(end)]
  })
  await Promise.all(done)
  const leases = calls.flatMap(({ reservation, end }) => (end === null ? [reservation.leaseUntil] : []))
  if (leases.length > 0) await ledger.expire(Math.max(...leases))
  for (const { reservation, late, correction } of calls) {
    if (late !== null) await ledger.settle(late)
    if (correction === null) continue
    const corrects = (await ledger.life(reservation.call.id))?.ends.at(-1)?.sequence ?? 0
    await ledger.adjust({ ...correction, corrects })
  }
}
