import type { Rational } from '../money/rational.ts'
import type { Meter } from './meter.ts'

/** How much of one meter: a safe whole number, or an exact rational for fractional meters (seconds,
 * gigabyte-days). Never negative. */
export type Quantity = number | Rational

/** How much of each meter one call consumed. Meters are disjoint: what is counted under one is counted
 * under no other. A meter that is absent was not used. */
export type Usage = { readonly [M in Meter]?: Quantity }
