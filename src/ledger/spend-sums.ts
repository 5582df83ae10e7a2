import type { Instant } from '../time.ts'
import type { Database } from './database.ts'
import type { SpendAsked, SpendRow, SpendScope } from './reading.ts'
import type { RollupName, SpendGrain, SpendPart } from './rollup.ts'

/** Asks for sums of what was spent in a period of whole hours: by these parts, in times of this grain. */
export type SpendSumsAsked = SpendAsked & {
  readonly by: readonly SpendPart[]
  readonly grain: SpendGrain
  /** Puts hours together, from one of these on up to the next: in ascending order, the first at or before all hours. */
  readonly starts?: readonly Instant[] | undefined
}

/** Chooses by owner, and by service. */
export type SpendChoice = {
  readonly isOwner?: (owner: SpendOwner) => boolean
  readonly isService?: (service: SpendService) => boolean
}
export type SpendOwner = Pick<SpendScope, 'organization' | 'team' | 'project' | 'environment' | 'key'>
export type SpendService = Pick<SpendScope, 'provider' | 'model' | 'endpoint' | 'currency'>

/** A stretch of a period, and what has its sums: a rollup, or the hours (null). */
export type SpendSpan = {
  readonly from: Instant
  readonly to: Instant
  readonly rollup: RollupName | null
}

/** What is asked of one span; only of owners and services of these ids, where they are given. */
export type SpanAsked = Omit<SpendSumsAsked, keyof SpendAsked> &
  SpendSpan & { readonly owners?: readonly number[]; readonly services?: readonly number[] }

/** Names with their ids. */
export type SpendNames = {
  readonly owners: readonly (readonly [id: number, owner: SpendOwner])[]
  readonly services: readonly (readonly [id: number, service: SpendService])[]
}

/** Reads sums of what was spent, some weeks at a time: days that were sealed from the smallest rollup that knows what is
 * asked, the rest from the hours. A row has the start of its time, or any time of the period where there is no grain;
 * what is not asked for is null or empty in it; and several rows may be of the same place. */
export async function* readSpendSums(
  database: Database,
  { isOwner, isService, ...asked }: SpendSumsAsked & SpendChoice,
): AsyncGenerator<readonly SpendRow[]> {
  const names: SpendNames | null =
    isOwner || isService ? await database.call('ledger', 'spendNames', null) : null
  const ids = <Named>(
    named: readonly (readonly [id: number, name: Named])[] | undefined,
    isMeant: ((name: Named) => boolean) | undefined,
  ) => (isMeant === undefined ? undefined : named?.flatMap(([id, name]) => (isMeant(name) ? [id] : [])))
  const owners = ids(names?.owners, isOwner)
  const services = ids(names?.services, isService)
  const spans = await readSpendSpans(database, asked)
  for (const span of spans) {
    yield await database.call('ledger', 'spendSums', {
      ...asked,
      ...span,
      ...(owners !== undefined && { owners }),
      ...(services !== undefined && { services }),
    } satisfies SpanAsked)
  }
}

/** The spans of a period that have anything, in order. */
export const readSpendSpans = (
  database: Database,
  { from, to, by, grain }: SpendSumsAsked,
): Promise<readonly SpendSpan[]> => database.call('ledger', 'spendSpans', { from, to, by, grain })
