/** An estimate, and between what its truth is; `high` is null where nothing bounds it. */
export type OpenEstimate = { readonly estimate: number; readonly low: number; readonly high: number | null }

/** Whole numbers that sum to `total`, one for each estimate and within its bounds. The difference to the estimates is
 * shared by largest remainder, in proportion to what the bounds leave open on that side; estimates without an upper
 * bound, where there are any, take all that is more, in proportion to themselves. Null where no such numbers exist. */
export const shareWithin = (total: number, all: readonly OpenEstimate[]): readonly number[] | null => {
  const more = total - all.reduce((sum, { estimate }) => sum + estimate, 0)
  const unbounded = more > 0 && all.some(({ high }) => high === null)
  const rooms = all.map((each) => (unbounded ? weightOf(each) : roomOf(each, more)))
  if (!unbounded && rooms.reduce((sum, room) => sum + room, 0) < Math.abs(more)) return null
  return largestRemainder(Math.abs(more), rooms).map(
    (part, index) => (all[index]?.estimate ?? 0) + Math.sign(more) * part,
  )
}

const weightOf = ({ estimate, high }: OpenEstimate): number => (high === null ? Math.max(estimate, 1) : 0)

const roomOf = ({ estimate, low, high }: OpenEstimate, more: number): number =>
  Math.max(0, more > 0 ? (high ?? estimate) - estimate : estimate - low)

/** Shares a whole number in proportion to weights: each part is its quota, rounded down or up. */
const largestRemainder = (whole: number, weights: readonly number[]): readonly number[] => {
  const sum = weights.reduce((total, weight) => total + BigInt(weight), 0n)
  if (whole === 0 || sum === 0n) return weights.map(() => 0)
  const quotas = weights.map((weight, index) => {
    const product = BigInt(whole) * BigInt(weight)
    return { index, part: Number(product / sum), rest: product % sum }
  })
  const left = whole - quotas.reduce((total, { part }) => total + part, 0)
  const byRest = quotas.toSorted((a, b) => (a.rest > b.rest ? -1 : a.rest < b.rest ? 1 : a.index - b.index))
  const raised = new Set(byRest.slice(0, left).map(({ index }) => index))
  return quotas.map(({ index, part }) => part + (raised.has(index) ? 1 : 0))
}
