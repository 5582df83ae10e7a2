import type { Stretch } from './load.ts'

/** The figures of one target in one scenario, over all rounds. */
export type Figures = {
  readonly requestsPerSecond: number
  readonly cpuMsPerRequest: number
  readonly p50: number
  readonly p99: number
  readonly rssBytes: number
}

/** Medians over the rounds, so that one noisy round moves nothing. */
export const figuresOf = (stretches: readonly Stretch[]): Figures => ({
  requestsPerSecond: median(stretches.map(({ requests, seconds }) => requests / seconds)),
  cpuMsPerRequest: median(
    stretches.map(({ cpuMicroseconds, requests }) => cpuMicroseconds / requests / 1_000),
  ),
  p50: median(stretches.map(({ milliseconds }) => quantile(milliseconds, 0.5))),
  p99: median(stretches.map(({ milliseconds }) => quantile(milliseconds, 0.99))),
  rssBytes: Math.max(...stretches.map(({ rssBytes }) => rssBytes)),
})

/** What a proxy adds to a direct call: the median over the rounds of the difference within each round. */
export const added = (stretches: readonly Stretch[], direct: readonly Stretch[], share: number): number =>
  median(
    stretches.map(
      ({ milliseconds }, round) =>
        quantile(milliseconds, share) - quantile(direct[round]?.milliseconds ?? [], share),
    ),
  )

/** Processor time a request, as times that of another: the median over the rounds of the ratio within each round. */
export const cpuRatio = (stretches: readonly Stretch[], others: readonly Stretch[]): number =>
  median(stretches.map((stretch, round) => cpuOf(stretch) / cpuOf(others[round])))

const cpuOf = (stretch: Stretch | undefined): number =>
  stretch === undefined ? Number.NaN : stretch.cpuMicroseconds / stretch.requests

const median = (values: readonly number[]): number => quantile(values, 0.5)

/** The value below which so great a share of them lies. */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
