import type { Instant } from '../time.ts'
import type { Meter } from '../usage/meter.ts'
import type { Rate } from './rate.ts'

/** One price as written in `prices/*.json` (DESIGN 5.1). Dates are RFC 3339 instants or days (midnight UTC);
 * the period is half-open. */
export type PriceRow = {
  readonly provider: string
  readonly model: string | null
  readonly aliases?: readonly string[]
  readonly service: string
  readonly meter: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly unitPrice: string
  readonly per: number
  readonly currency: string
  readonly effectiveFrom: string
  readonly fromPrecision: 'exact' | 'inferred' | 'observed'
  readonly effectiveTo: string | null
  readonly knownSince?: string
  readonly supersededOn?: string
  readonly endReason?: string
  readonly scheduledEnd?: string
  readonly confidence: 'high' | 'medium' | 'low'
  readonly source: string
  readonly note?: string
  readonly [more: string]: unknown
}

/** A file of `prices/`. */
export type PriceFile = {
  readonly schema: 'octroi-prices/1'
  readonly provider: string
  readonly prices: readonly PriceRow[]
}

/** One row of the open book. `id` is a hash of its key and start. */
export type Price = {
  readonly id: string
  readonly provider: string
  readonly model: string | null
  readonly meter: Meter
  readonly attributes: Readonly<Record<string, unknown>>
  readonly rate: Rate
  readonly currency: string
  readonly from: Instant
  readonly to: Instant | null
  readonly knownSince: Instant | null
  readonly supersededOn: Instant | null
  readonly confidence: 'high' | 'medium' | 'low'
  readonly source: string
}
