import { add, compare, parseDecimal, type Rational, rational, subtract, zero } from '../money/rational.ts'
import { type Meter, meterFacts } from './meter.ts'
import { compilePath, type Path, plainPaths, type ReadPath } from './path.ts'
import { type Quantity, toQuantity, type Usage } from './usage.ts'

/** Where a vendor reports each meter: paths into its report, and where it has several, the first that is there
 * holds. `inside`: which of them it counts inside their parent as well. `known`: its other numbers, which bill
 * nothing of their own: totals, parts at the price of the whole, times. `sparse`: it leaves out what is zero. */
export type UsageShape = {
  readonly at: Readonly<Partial<Record<Meter, Path | readonly Path[]>>>
  readonly inside?: readonly Meter[]
  readonly known?: readonly Path[]
  readonly sparse?: true
}

/** A usage as read, and what in the report could not be believed: where there are such problems the usage holds
 * what is sure. `unknown` names numbers that the shape does not know: the usage is whole as far as is known. */
export type Reading = {
  readonly usage: Usage
  readonly problems: readonly string[]
  readonly unknown?: readonly string[]
}

/** Turns a vendor's report into disjoint meters; null when it says nothing usable. This is the one place where
 * tokens are subtracted from one another: what is counted inside a parent as well is taken out of the parent.
 * Never throws and never gives a negative quantity. Where the parts of a meter are more than the whole, the
 * whole stands and its parts are left out: they would make it cheaper, and they are not sure. A number that the
 * shape does not know is named, since it may be a new thing that is billed. */
export const readUsage = (report: unknown, shape: UsageShape): Reading | null => {
  if (typeof report !== 'object' || report === null) return null
  const compiled = compiledOf(shape)
  const { counts, problems } = readCounts(report, compiled)
  if (counts.size === 0) return null
  const inside = (meter: Meter): boolean => compiled.inside.has(meter)
  const usage: { [M in Meter]?: Quantity } = {}
  const place = (meter: Meter, { path, count: whole }: Count): void => {
    const parts = [...counts].filter(([part]) => inside(part) && meterFacts(part).parent === meter)
    const sum = parts.reduce((total, [, { count }]) => add(total, count), zero)
    const fits = compare(sum, whole) <= 0
    const rest = fits ? subtract(whole, sum) : whole
    if (rest.numerator > 0n) usage[meter] = toQuantity(rest)
    if (fits) for (const [part, count] of parts) place(part, count)
    else problems.push(`${path} is less than its parts ${parts.map(([, part]) => part.path).join(', ')}`)
  }
  for (const [meter, count] of counts) {
    const { parent } = meterFacts(meter)
    if (!inside(meter) || parent === undefined || !counts.has(parent)) place(meter, count)
  }
  const unknown = unknownNumbers(report, compiled.known)
  return unknown.length === 0 ? { usage, problems } : { usage, problems, unknown }
}

type Place = { readonly path: Path; readonly read: ReadPath }

/** A shape with its paths ready for reading. `missed`: the meters whose absence is a problem. */
type Compiled = {
  readonly meters: readonly (readonly [Meter, readonly Place[]])[]
  readonly inside: ReadonlySet<Meter>
  readonly missed: ReadonlySet<Meter>
  readonly known: ReadonlySet<string>
}

const compiledShapes = new WeakMap<UsageShape, Compiled>()

const compiledOf = (shape: UsageShape): Compiled => {
  const found = compiledShapes.get(shape)
  if (found !== undefined) return found
  const places = Object.entries(shape.at).map(
    ([meter, paths]) => [meter as Meter, typeof paths === 'string' ? [paths] : paths] as const,
  )
  const compiled: Compiled = {
    meters: places.map(([meter, paths]) => [meter, paths.map((path) => ({ path, read: compilePath(path) }))]),
    inside: new Set(shape.inside),
    missed: new Set(shape.sparse ? [] : places.map(([meter]) => meter).filter(isWholeOfTokens)),
    known: new Set([...places.flatMap(([, paths]) => paths), ...(shape.known ?? [])].flatMap(plainPaths)),
  }
  compiledShapes.set(shape, compiled)
  return compiled
}

const isWholeOfTokens = (meter: Meter): boolean => {
  const { parent, unit } = meterFacts(meter)
  return parent === undefined && unit === 'token'
}

type Count = { readonly path: Path; readonly count: Rational }

/** What the report says under each path, as it says it. */
const readCounts = (report: unknown, { meters, missed }: Compiled) => {
  const counts = new Map<Meter, Count>()
  const problems: string[] = []
  for (const [meter, places] of meters) {
    const found = firstOf(report, places)
    if (found === null) {
      if (missed.has(meter)) problems.push(`${places[0]?.path} is missing`)
      continue
    }
    const count = sumOf(meter, found.values)
    if (count === null) problems.push(`${found.path} is not a count`)
    else counts.set(meter, { path: found.path, count })
  }
  return { counts, problems }
}

const firstOf = (report: unknown, places: readonly Place[]) => {
  for (const { path, read } of places) {
    const values = read(report)
    if (values !== undefined) return { path, values }
  }
  return null
}

const sumOf = (meter: Meter, values: readonly unknown[]): Rational | null => {
  let sum = zero
  for (const value of values) {
    const count = countOf(meter, value)
    if (count === null) return null
    sum = add(sum, count)
  }
  return sum
}

/** Counts of fractional meters come as JSON numbers; their shortest decimal text is what the vendor wrote. */
const countOf = (meter: Meter, value: unknown): Rational | null => {
  if (typeof value !== 'number' || value < 0) return null
  if (Number.isSafeInteger(value)) return rational(BigInt(value))
  const fractional = !meterFacts(meter).whole && /^\d{1,15}\.\d{1,20}$/.test(String(value))
  return fractional ? parseDecimal(String(value)) : null
}

/** How far a report is looked through for what is not known, and how much of that is named. */
const depthMax = 5
const numbersMax = 200
const unknownMax = 5

/** Names the numbers of a report, other than zero, that the shape does not know: each once. */
const unknownNumbers = (report: object, known: ReadonlySet<string>): readonly string[] => {
  const unknown = new Map<string, number>()
  let seen = 0
  const look = (value: unknown, path: string, depth: number): void => {
    if (known.has(path)) return
    if (typeof value === 'number') {
      if (value !== 0 && !unknown.has(path)) unknown.set(path, value)
      return
    }
    if (typeof value !== 'object' || value === null || depth > depthMax) return
    if (Array.isArray(value)) {
      for (const element of value) {
        if (seen >= numbersMax) return
        look(element, `${path}[]`, depth + 1)
      }
      return
    }
    for (const name in value) {
      seen += 1
      if (seen > numbersMax || unknown.size >= unknownMax) return
      if (!Object.hasOwn(value, name)) continue
      look(
        (value as Readonly<Record<string, unknown>>)[name],
        path === '' ? name : `${path}.${name}`,
        depth + 1,
      )
    }
  }
  look(report, '', 0)
  return [...unknown].map(
    ([path, value]) => `${path.slice(0, 80)} is ${value} and not known here: a new billable field?`,
  )
}
