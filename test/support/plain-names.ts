import type { Naming, PlainSum } from './plain-fold.ts'

/** A stretch of time, half-open. */
export type Stretch = { readonly from: number; readonly to: number }

const dateOf = (at: number): string => new Date(at).toISOString().slice(0, 10)

/** What the hourly sums know. */
export const ofHours: Readonly<Record<string, Naming>> = {
  total: () => '',
  hour: ({ at }) => `${new Date(at).toISOString().slice(0, 13)}:00:00Z`,
  day: ({ at }) => dateOf(at),
  month: ({ at }) => dateOf(at).slice(0, 7),
  organization: ({ organization }) => organization,
  team: ({ team }) => team,
  project: ({ project }) => project,
  environment: ({ environment }) => environment,
  key: ({ key }) => key,
  provider: ({ provider }) => provider,
  model: ({ model }) => model,
  endpoint: ({ endpoint }) => endpoint,
  meter: ({ meter }) => meter ?? undefined,
}

/** What only the calls know. */
export const ofCalls: Readonly<Record<string, Naming>> = {
  endUser: ({ endUser }) => endUser,
  conversation: ({ conversation }) => conversation,
  'tag:feature': ({ tags }) => tags['feature'] ?? null,
  'tag:customer': ({ tags }) => tags['customer'] ?? null,
}

const ofReports: Readonly<Record<string, Naming>> = {
  basis: ({ basis }) => basis,
  'of calls': ({ kind, provider }) => (kind === 'call' ? provider : undefined),
  'beside imports': ({ basis, provider }) => (basis === 'imported' ? undefined : provider),
  'feature_1 of team_1': ({ tags, team }) =>
    tags['feature'] === 'feature_1' && team === 'team_1' ? '' : undefined,
  /** These days begin half past an hour of UTC. */
  'Indian day': ({ at }) => dateOf(at + 19_800_000),
}

/** Every way to name, of all there is, and after `some ` of a part of it. */
export const namingsOf = (some: Stretch): Readonly<Record<string, Naming>> => {
  const all = { ...ofHours, ...ofCalls, ...ofReports }
  return { ...all, ...renamed('some ', all, some) }
}

const renamed = (
  prefix: string,
  namings: Readonly<Record<string, Naming>>,
  { from, to }: Stretch,
): Readonly<Record<string, Naming>> =>
  Object.fromEntries(
    Object.entries(namings).map(([name, naming]): [string, Naming] => [
      prefix + name,
      (fact) => (fact.at < from || fact.at >= to ? undefined : naming(fact)),
    ]),
  )

/** Sums as lines that compare. What came to nothing is nobody's. */
export const lines = (
  sums: Iterable<readonly [string, Partial<Pick<PlainSum, 'amount' | 'list' | 'calls'>>]>,
): readonly string[] =>
  [...sums]
    .filter(([, sum]) => Object.values(sum).some((value) => value !== 0n && value !== 0))
    .map(([key, { amount, list, calls }]) => [key, amount, list, calls].join(' '))
    .sort()

type Amount = { readonly currency: string; readonly amount: bigint }

/** Amounts of each currency together. */
export const byCurrency = (amounts: readonly Amount[]): Readonly<Record<string, bigint>> => {
  const sums: Record<string, bigint> = {}
  for (const { currency, amount } of amounts) sums[currency] = (sums[currency] ?? 0n) + amount
  return sums
}

/** Amounts of each currency and name together, for `lines`. */
export const byName = (
  amounts: readonly (Amount & { readonly name: string | null })[],
): ReadonlyMap<string, { readonly amount: bigint }> => {
  const sums = new Map<string, { amount: bigint }>()
  for (const { currency, name, amount } of amounts) {
    const key = JSON.stringify([currency, name])
    sums.set(key, { amount: (sums.get(key)?.amount ?? 0n) + amount })
  }
  return sums
}
