import { hash } from 'node:crypto'
import { OctroiError } from '../../errors.ts'
import { add, type Rational } from '../../money/rational.ts'
import { formatInstant, type Instant } from '../../time.ts'
import { type Meter, meterFacts } from '../../usage/meter.ts'
import { exactQuantity, type Quantity, toQuantity, type Usage } from '../../usage/usage.ts'
import { type ImportLine, unusable } from './line.ts'
import { copyOf, hourOf } from './row-values.ts'

/** All that a report says of one thing: lines of the same bucket, model, tier, project, key and item are one. */
export type Gathered = Omit<ImportLine, 'provider' | 'usage'> & {
  /** The same whenever the same report is read. */
  readonly key: string
  readonly provider: string
  readonly usage: ReadonlyMap<Meter, Quantity>
}

type Sum = Omit<Gathered, 'usage' | 'amount' | 'requests'> & {
  readonly usage: Map<Meter, Quantity>
  amount: bigint | null
  requests: number | null
}

/** Lines that are held at once: what a report says, not how many rows it takes to say it. */
const linesMax = 1_000_000

const hourMs = 3_600_000

/** Gathers the lines of one report. `provider`: whose calls they are where a line does not say it. */
export const createGathering = ({
  provider,
  role,
}: {
  readonly provider: string | null
  readonly role: 'usage' | 'bill'
}) => {
  const sums = new Map<string, Sum>()
  let currency: string | null = null
  /** `place` names the line for messages. */
  const add = (line: ImportLine, place: () => string): void => {
    const name = line.provider ?? provider
    if (name === null)
      throw unusable(place(), 'it does not say whose calls these are. Name the provider with --provider.')
    if (line.amount !== null) {
      currency ??= line.currency
      if (line.currency !== currency && role !== 'bill' && line.isOwn !== true) {
        throw new OctroiError(
          'currency_mismatch',
          `${place()}: it is in ${line.currency}, and those before are in ${currency}. Import each currency by itself, under an account of its own.`,
        )
      }
    }
    const [from, to] = inHours(line, role, place)
    const { model, endpoint, tier, project, apiKey, lineItem, attributes, owner, contextTokens } = line
    const key = `${from}\n${to}\n${name}\n${model ?? ''}\n${endpoint}\n${tier ?? ''}\n${project ?? ''}\n${apiKey ?? ''}\n${line.currency}\n${lineItem ?? ''}\n${line.ofCalls ? '' : 'x'}${contextTokens ?? ''}${textOf(attributes)}${owner === undefined ? '' : `\n${JSON.stringify(owner)}`}`
    const sum = sums.get(key)
    if (sum === undefined) {
      if (sums.size >= linesMax) {
        throw new OctroiError(
          'bad_input',
          `The report has more than ${linesMax} lines. Import a shorter period.`,
        )
      }
      const ownKey = copyOf(key)
      sums.set(ownKey, {
        ...line,
        ...{ from, to, key: ownKey, provider: copyOf(name), endpoint: copyOf(endpoint) },
        ...{ model: copyOrNull(model), tier: copyOrNull(tier), project: copyOrNull(project) },
        ...{ apiKey: copyOrNull(apiKey), lineItem: copyOrNull(lineItem), currency: copyOf(line.currency) },
        usage: usageOf(line.usage),
      })
      return
    }
    if (line.amount !== null) sum.amount = (sum.amount ?? 0n) + line.amount
    if (line.requests !== null) sum.requests = (sum.requests ?? 0) + line.requests
    for (const meter in line.usage) addTo(sum.usage, meter as Meter, line.usage[meter as Meter] ?? 0)
  }
  return { add, lines: (): readonly Gathered[] => withoutOverlap([...sums.values()], role) }
}

const copyOrNull = (text: string | null): string | null => (text === null ? null : copyOf(text))

const usageOf = (usage: Usage): Map<Meter, Quantity> => {
  const held = new Map<Meter, Quantity>()
  for (const meter in usage) held.set(meter as Meter, usage[meter as Meter] ?? 0)
  return held
}

/** A name for a line that holds whenever the same is reported. */
export const lineIdOf = (importer: string, account: string, key: string): string =>
  `${importer}:${hash('sha256', `${account}\n${key}`).slice(0, 40)}`

const textOf = (attributes: Readonly<Record<string, string>>): string => {
  for (const _ in attributes) return JSON.stringify(attributes)
  return ''
}

const addTo = (usage: Map<Meter, Quantity>, meter: Meter, quantity: Quantity): void => {
  const before = usage.get(meter) ?? 0
  if (typeof before === 'number' && typeof quantity === 'number') usage.set(meter, before + quantity)
  else usage.set(meter, toQuantity(exactSum(meter, before, quantity)))
}

const exactSum = (meter: Meter, a: Quantity, b: Quantity): Rational =>
  add(exactQuantity(meter, a), exactQuantity(meter, b))

/** The ledger keeps usage by the hour: what is told by the minute counts in its hour. */
const inHours = (
  { from, to, ofCalls }: ImportLine,
  role: 'usage' | 'bill',
  place: () => string,
): readonly [Instant, Instant] => {
  if (role === 'bill' || !ofCalls || (from % hourMs === 0 && to % hourMs === 0)) return [from, to]
  const hour = hourOf(from)
  if (to - hour <= hourMs) return [hour, hour + hourMs]
  throw unusable(
    place(),
    `its period from ${formatInstant(from)} to ${formatInstant(to)} is not of whole hours, by which usage is kept.`,
  )
}

/** Throws where two lines tell the same usage for times that overlap without being the same: it would count twice. */
const withoutOverlap = (sums: readonly Sum[], role: 'usage' | 'bill'): readonly Gathered[] => {
  if (role === 'bill') return sums
  const until = new Map<string, Sum>()
  for (const sum of sums.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
    if (!sum.ofCalls || sum.isOwn === true) continue
    for (const meter of sum.usage.size === 0 ? [''] : sum.usage.keys()) {
      const name = `${sum.provider}\n${sum.model ?? ''}\n${meter}`
      const before = until.get(name)
      if (
        before !== undefined &&
        sum.from < before.to &&
        (sum.from !== before.from || sum.to !== before.to)
      ) {
        const what = `${sum.model ?? sum.provider}${meter === '' ? '' : `, ${meter} (${meterFacts(meter as Meter).unit})`}`
        throw new OctroiError(
          'bad_input',
          `The periods of ${what} overlap: from ${formatInstant(before.from)} to ${formatInstant(before.to)}, and from ${formatInstant(sum.from)} to ${formatInstant(sum.to)}. The same usage would count twice.`,
        )
      }
      if (before === undefined || sum.to > before.to) until.set(name, sum)
    }
  }
  return sums
}
