/** The names and values that tell the series of one metric apart. */
export type Labels = Readonly<Record<string, string>>

/** A metric that writes itself in the text format of Prometheus, version 0.0.4. */
export type Metric = { readonly text: () => string }

/** A sum that only grows, kept exactly. `scale`: one unit of what is shown is 10^scale of what is added. */
export type Counter = Metric & { readonly add: (labels: Labels, by: bigint) => void }

/** How often a time was at most each of `timeBounds`. */
export type Histogram = Metric & { readonly observe: (labels: Labels, seconds: number) => void }

/** A value as it is when it is asked for. */
export type Gauge = readonly [labels: Labels, value: number]

/** Seconds: from a commit on a quick disk to a reply that takes minutes. */
const timeBounds = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300,
] as const

export const createCounter = (name: string, help: string, scale = 0): Counter => {
  const sums = new Map<string, bigint>()
  return {
    add: (labels, by) => {
      const series = seriesOf(labels)
      sums.set(series, (sums.get(series) ?? 0n) + by)
    },
    text: () =>
      block(
        { name, help, type: 'counter' },
        [...sums].map(([series, sum]) => sample(name, series, decimal(sum, scale))),
      ),
  }
}

export const createHistogram = (name: string, help: string): Histogram => {
  const all = new Map<string, { readonly counts: number[]; sum: number; count: number }>()
  return {
    observe: (labels, seconds) => {
      const series = seriesOf(labels)
      const times = all.get(series) ?? { counts: timeBounds.map(() => 0), sum: 0, count: 0 }
      all.set(series, times)
      const bound = timeBounds.findIndex((most) => seconds <= most)
      if (bound !== -1) times.counts[bound] = (times.counts[bound] ?? 0) + 1
      times.sum += seconds
      times.count += 1
    },
    text: () =>
      block(
        { name, help, type: 'histogram' },
        [...all].flatMap(([series, { counts, sum, count }]) => {
          let below = 0
          const buckets = timeBounds.map((bound, index) => {
            below += counts[index] ?? 0
            return sample(`${name}_bucket`, joined(series, `le="${bound}"`), `${below}`)
          })
          return [
            ...buckets,
            sample(`${name}_bucket`, joined(series, 'le="+Inf"'), `${count}`),
            sample(`${name}_sum`, series, `${sum}`),
            sample(`${name}_count`, series, `${count}`),
          ]
        }),
      ),
  }
}

export const createGauge = (name: string, help: string, read: () => readonly Gauge[]): Metric => ({
  text: () =>
    block(
      { name, help, type: 'gauge' },
      read().map(([labels, value]) => sample(name, seriesOf(labels), `${value}`)),
    ),
})

const block = (
  { name, help, type }: Readonly<Record<'name' | 'help' | 'type', string>>,
  samples: readonly string[],
): string => [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples, ''].join('\n')

const sample = (name: string, series: string, value: string): string =>
  `${name}${series === '' ? '' : `{${series}}`} ${value}`

const seriesOf = (labels: Labels): string => {
  let series = ''
  for (const name in labels) {
    series += `${series === '' ? '' : ','}${name}="${escaped(labels[name] ?? '')}"`
  }
  return series
}

const joined = (series: string, more: string): string => (series === '' ? more : `${series},${more}`)

/** A backslash, a quote and an end of line are written with a backslash (Prometheus, "Exposition formats"). */
const escaped = (value: string): string =>
  special.test(value) ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n') : value

const special = /[\\"\n]/

/** A whole number of 10^-scale as a decimal. */
const decimal = (sum: bigint, scale: number): string => {
  if (scale === 0) return `${sum}`
  const digits = `${sum < 0n ? -sum : sum}`.padStart(scale + 1, '0')
  const fraction = digits.slice(-scale).replace(/0+$/, '')
  return `${sum < 0n ? '-' : ''}${digits.slice(0, -scale)}${fraction === '' ? '' : `.${fraction}`}`
}
