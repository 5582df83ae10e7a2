/** Numbers that look like chance and are the same for the same seed. */
export type Random = {
  /** A whole number from 0 up to but not including `bound`; 0 where that is 0. */
  readonly below: (bound: number) => number
}

/** Mulberry32: made in no time, since every simulation has its own. */
export const createRandom = (seed: number): Random => {
  let state = (seed * 2_654_435_761) >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  return { below: (bound) => (bound === 0 ? 0 : next() % bound) }
}
