import type { BilledCall, RawPriceRow } from './books.ts'
import { costResults, storageIn } from './organization-costs.ts'
import { pageOf, readBucketQuery } from './organization-pages.ts'
import { type UsageKind, usageKinds, usageResults } from './organization-usage.ts'
import { vectorGroups, vectorResults } from './organization-vectors.ts'
import { Refusal } from './refusal.ts'
import type { WireRoute, World } from './world.ts'

/** The vendor's usage and cost routes, `/v1/organization/usage/*` and `/v1/organization/costs`, as its API
 * description of 2026-08-21 has them. The vendor of November 2023 had no such routes: they are the sandbox's books
 * in the shape that an importer of today reads. Every row is a fold of the billed calls and the books' own prices;
 * a call counts in the bucket in which it was billed.
 *
 * All calls belong to one project; whose key made them is not kept, so `api_key_id` and `user_id` are null even
 * where they are grouped by. */
export const organization = (
  world: World,
  { calls, prices }: { readonly calls: () => readonly BilledCall[]; readonly prices: readonly RawPriceRow[] },
): readonly WireRoute[] => {
  const stored = storageIn(world, prices)
  const vectors = vectorResults(world)
  return [
    ...(Object.keys(usageKinds) as UsageKind[]).map((kind) =>
      adminRoute(`/v1/organization/usage/${kind}`, (query) => {
        const asked = readBucketQuery(query, {
          now: world.clock.now(),
          widths: ['1m', '1h', '1d'],
          groups: usageKinds[kind].groups,
        })
        return pageOf(calls(), asked, (inBucket) => usageResults(kind, inBucket, asked))
      }),
    ),
    adminRoute('/v1/organization/usage/vector_stores', (query) => {
      const asked = readBucketQuery(query, {
        now: world.clock.now(),
        widths: ['1m', '1h', '1d'],
        groups: vectorGroups,
      })
      return pageOf(calls(), asked, (_, bucket) => vectors(bucket, asked))
    }),
    adminRoute('/v1/organization/costs', (query) => {
      const asked = readBucketQuery(query, {
        now: world.clock.now(),
        widths: ['1d'],
        groups: ['project_id', 'line_item', 'api_key_id'],
        limitMost: 180,
      })
      return pageOf(calls(), asked, (inBucket, bucket) =>
        costResults(world.books, inBucket, stored(bucket), asked),
      )
    }),
  ]
}

/** Throws the vendor's refusal of a key that is no admin key. `known` null takes any that begins with `sk-admin`. */
export const checkAdminKey = (key: string, known: ReadonlySet<string> | null): void => {
  if (known === null ? key.startsWith('sk-admin') : known.has(key)) return
  throw new Refusal(
    403,
    'You have insufficient permissions for this operation. Missing scopes: api.usage.read. Ask with an admin key.',
  )
}

const adminRoute = (path: string, told: (query: URLSearchParams) => unknown): WireRoute => ({
  method: 'GET',
  path,
  family: 'organization',
  admin: true,
  handle: ({ query }) => ({ json: told(query) }),
})
