import { OctroiError } from '../errors.ts'
import { type Clock, type Instant, parseInstant } from '../time.ts'

/** What the machine knows of time: the wall clock, which people set and correct, and a stopwatch in
 * milliseconds, which only ever runs forward. */
type MachineTime = { readonly wall: () => Instant; readonly elapsed: () => number }

const machineTime: MachineTime = { wall: () => Date.now(), elapsed: () => performance.now() }

/** Makes the one clock of a run from `INSTANT[,fixed|running]`; without text it is the machine's own.
 * A running clock starts at the instant and advances with the stopwatch, so that setting the machine's clock
 * does not move it; a fixed one stands still. No other file of `src` reads the wall clock.
 * Throws `bad_instant`. */
export const clockFrom = (text: string | undefined, machine: MachineTime = machineTime): Clock => {
  if (text === undefined) return { now: machine.wall }
  const [instant = '', gait = 'running', ...rest] = text.split(',')
  if ((gait !== 'running' && gait !== 'fixed') || rest.length > 0) {
    throw new OctroiError(
      'bad_instant',
      `The clock "${text.slice(0, 60)}" is not understood. Write an instant, then ",fixed" or ",running" if you wish: 2023-11-15T12:00:00Z,fixed.`,
    )
  }
  const start = parseInstant(instant)
  if (gait === 'fixed') return { now: () => start }
  const begun = machine.elapsed()
  return { now: () => start + Math.floor(machine.elapsed() - begun) }
}
