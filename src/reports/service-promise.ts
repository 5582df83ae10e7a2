import { OctroiError } from '../errors.ts'
import { parseDecimal, type Rational } from '../money/rational.ts'
import { type Instant, parseInstant } from '../time.ts'

/** What a vendor promises of a tier, or that it promises nothing: then `least` is null. */
export type ServicePromise = {
  readonly provider: string
  /** As the vendor names it in its replies; null is every tier that has no row of its own. */
  readonly tier: string | null
  /** The share of calls that are answered, at least. */
  readonly least: Rational | null
  /** How the vendor measures it, in words. */
  readonly measured: string | null
  /** From when on it holds; null is not known. */
  readonly effectiveFrom: Instant | null
  readonly knownSince: Instant
  readonly source: string
  readonly confidence: string
  readonly note: string | null
}

/** Reads the files of promises that come with the package. Throws `bad_input` for what is no such file. */
export const readPromises = (files: readonly unknown[]): readonly ServicePromise[] =>
  files.flatMap((file) => {
    const { schema, provider, promises } = membersOf(file)
    if (schema !== 'octroi-promises/1' || typeof provider !== 'string' || !Array.isArray(promises)) {
      throw new OctroiError('bad_input', 'A file of promises must be of octroi-promises/1.')
    }
    return promises.map((row): ServicePromise => {
      const read = membersOf(row)
      const text = (name: string): string | null => {
        const value = read[name]
        return typeof value === 'string' ? value : null
      }
      const [least, from, since] = [text('least'), text('effectiveFrom'), text('knownSince')]
      const [source, confidence] = [text('source'), text('confidence')]
      if (since === null || source === null || confidence === null) {
        throw new OctroiError(
          'bad_input',
          `A promise of ${provider} needs knownSince, source and confidence.`,
        )
      }
      return {
        ...{ provider, tier: text('tier'), measured: text('measured'), note: text('note') },
        ...{ source, confidence, knownSince: parseInstant(since) },
        least: least === null ? null : parseDecimal(least),
        effectiveFrom: from === null ? null : parseInstant(from),
      }
    })
  })

const membersOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {}

/** The promise that held for a tier all through a period: the latest whose day is not after its begin. Null where none is
 * known. */
export const promiseFor = (
  promises: readonly ServicePromise[],
  asked: { readonly provider: string; readonly tier: string | null; readonly from: Instant | null },
): ServicePromise | null => {
  const { provider, tier, from } = asked
  const held = promises
    .filter((each) => each.provider === provider)
    .filter(({ effectiveFrom }) => effectiveFrom === null || from === null || effectiveFrom <= from)
    .toSorted((a, b) => (b.effectiveFrom ?? 0) - (a.effectiveFrom ?? 0))
  return held.find((each) => each.tier === tier) ?? held.find((each) => each.tier === null) ?? null
}
