/** The parts of who spent it and on what, in the order in which names have them. A name of a service ends with its
 * currency. */
export const ownerParts = ['organization', 'team', 'project', 'environment', 'key'] as const
export const serviceParts = ['provider', 'model', 'endpoint'] as const

/** What sums of spend can be by, beside time. Every sum is by currency, basis and meter as well. */
export type SpendPart = (typeof ownerParts)[number] | (typeof serviceParts)[number]

/** How fine the times of sums are; `null`: all of a period is one. Hours and days are those of UTC. */
export type SpendGrain = 'hour' | 'day' | null

/** By what a rollup sums the hourly folds. */
export type Rollup = { readonly grain: 'hour' | 'day'; readonly by: readonly SpendPart[] }

const service = serviceParts

/** All rollups, those with the fewest rows first: how many depends on teams and models, not on calls. */
export const rollups = {
  models: { grain: 'day', by: service },
  teams: { grain: 'day', by: ['organization', 'team'] },
  modelHours: { grain: 'hour', by: service },
  owners: { grain: 'day', by: ownerParts },
  teamHours: { grain: 'hour', by: ['organization', 'team'] },
  teamModels: { grain: 'day', by: ['organization', 'team', ...service] },
} as const satisfies Record<string, Rollup>

export type RollupName = keyof typeof rollups

/** Their names. */
export const rollupNames = Object.keys(rollups) as readonly RollupName[]

/** The smallest rollup that knows what is asked; null where only the hours do. */
export const rollupFor = (by: readonly SpendPart[], grain: SpendGrain): RollupName | null =>
  rollupNames.find((name) => {
    const rollup: Rollup = rollups[name]
    return (rollup.grain === 'hour' || grain !== 'hour') && by.every((part) => rollup.by.includes(part))
  }) ?? null
