import { add, compare, parseDecimal, type Rational, rational, subtract, zero } from '../money/rational.ts'
import { type Meter, meterFacts } from './meter.ts'
import { type Quantity, toQuantity, type Usage } from './usage.ts'

/** Where a vendor reports each meter (dotted paths into its report), and which of them it counts inside their
 * parent as well. */
export type UsageShape = {
  readonly at: Readonly<Partial<Record<Meter, string>>>
  readonly inside?: readonly Meter[]
}

/** A usage as read, and what in the report could not be believed. Where there are problems the usage holds what
 * is sure. */
export type Reading = { readonly usage: Usage; readonly problems: readonly string[] }

/** Turns a vendor's report into disjoint meters; null when it says nothing usable. This is the one place where
 * tokens are subtracted from one another: what is counted inside a parent as well is taken out of the parent.
 * Never throws and never gives a negative quantity. Where the parts of a meter are more than the whole, the
 * whole stands and its parts are left out: they would make it cheaper, and they are not sure. */
export const readUsage = (report: unknown, shape: UsageShape): Reading | null => {
  const { counts, problems } = readCounts(report, shape)
  if (counts.size === 0) return null
  const inside = (meter: Meter): boolean => shape.inside?.includes(meter) ?? false
  const usage: { [M in Meter]?: Quantity } = {}
  const place = (meter: Meter, whole: Rational): void => {
    const parts = [...counts].filter(([part]) => inside(part) && meterFacts(part).parent === meter)
    const sum = parts.reduce((total, [, count]) => add(total, count), zero)
    const fits = compare(sum, whole) <= 0
    const rest = fits ? subtract(whole, sum) : whole
    if (rest.numerator > 0n) usage[meter] = toQuantity(rest)
    if (fits) for (const [part, count] of parts) place(part, count)
    else
      problems.push(
        `${shape.at[meter]} is less than its parts ${parts.map(([part]) => shape.at[part]).join(', ')}`,
      )
  }
  for (const [meter, count] of counts) {
    const { parent } = meterFacts(meter)
    if (!inside(meter) || parent === undefined || !counts.has(parent)) place(meter, count)
  }
  return { usage, problems }
}

/** What the report says under each path, as it says it. */
const readCounts = (report: unknown, shape: UsageShape) => {
  const counts = new Map<Meter, Rational>()
  const problems: string[] = []
  for (const [meter, path] of Object.entries(shape.at) as [Meter, string][]) {
    const value = valueAt(report, path)
    const count = countOf(meter, value)
    if (count !== null) counts.set(meter, count)
    else if (value !== undefined) problems.push(`${path} is not a count`)
    else if (meterFacts(meter).parent === undefined) problems.push(`${path} is missing`)
  }
  return { counts, problems }
}

/** The value at a dotted path, or undefined where there is none or null. Own members only: a report comes from
 * outside. */
const valueAt = (report: unknown, path: string): unknown => {
  let value = report
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Readonly<Record<string, unknown>>)[name]
  }
  return value ?? undefined
}

/** Counts of fractional meters come as JSON numbers; their shortest decimal text is what the vendor wrote. */
const countOf = (meter: Meter, value: unknown): Rational | null => {
  if (typeof value !== 'number' || value < 0) return null
  if (Number.isSafeInteger(value)) return rational(BigInt(value))
  const fractional = !meterFacts(meter).whole && /^\d{1,15}\.\d{1,20}$/.test(String(value))
  return fractional ? parseDecimal(String(value)) : null
}
