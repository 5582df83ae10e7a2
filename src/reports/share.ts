import { type Rational, rational, roundHalfEven } from '../money/rational.ts'

/** A part as an exact fraction of its whole; null when the whole is zero. */
export const shareOf = (part: bigint, whole: bigint): Rational | null =>
  whole === 0n ? null : rational(part, whole)

/** Writes a share for people, to a tenth of a percent: `37.6%`; `-` when there is none. */
export const formatShare = (share: Rational | null): string => {
  if (share === null) return '-'
  const tenths = roundHalfEven(share, 3)
  const size = tenths < 0n ? -tenths : tenths
  return `${tenths < 0n ? '-' : ''}${size / 10n}.${size % 10n}%`
}
