import { compare, divide, type Rational, rational } from '../money/rational.ts'

/** Two stretches of time that end now, and how many times faster than expected both must have been spent in. */
export type BurnRule = {
  readonly longMs: number
  readonly shortMs: number
  readonly factor: Rational
}

const hourMs = 3_600_000
const rule = (longHours: number, shortMinutes: number, tenths: bigint): BurnRule => ({
  longMs: longHours * hourMs,
  shortMs: (shortMinutes * hourMs) / 60,
  factor: rational(tenths, 10n),
})

/** The pairs of the SRE Workbook (Google, 2018, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts") for a period of 30 days:
 * 2 % of it in an hour, 5 % in six, 10 % in three days. */
export const burnRules: readonly BurnRule[] = [rule(1, 5, 144n), rule(6, 30, 60n), rule(72, 360, 10n)]

/** What a limit has spent in a stretch of time, and the share of its cap that is expected to be spent in it: of a month,
 * more on a Monday morning than on a Sunday night. */
export type Stretch = { readonly spent: bigint; readonly expectedShare: Rational }

/** How many times faster than expected a cap is spent; 1 is as expected. Null where nothing is expected, or nothing may be
 * spent: no rate says anything then. */
export const burnRate = ({ spent, expectedShare }: Stretch, cap: bigint): Rational | null =>
  cap === 0n || expectedShare.numerator === 0n ? null : divide(rational(spent, cap), expectedShare)

/** The rules that a limit breaks: both stretches of a rule were spent in too fast, and in the longer one at least
 * `spentMin`. The shorter one makes an alert end soon after its cause. */
export const burning = (
  rules: readonly BurnRule[],
  { cap, spentMin }: { readonly cap: bigint; readonly spentMin: bigint },
  lookBack: (lengthMs: number) => Stretch,
): readonly BurnRule[] =>
  rules.filter(({ longMs, shortMs, factor }) => {
    const long = lookBack(longMs)
    if (long.spent < spentMin) return false
    return [long, lookBack(shortMs)].every((stretch) => {
      const rate = burnRate(stretch, cap)
      return rate !== null && compare(rate, factor) >= 0
    })
  })
