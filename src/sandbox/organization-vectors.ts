import { expireStores } from './assistants-v2/stores.ts'
import { isOfVectorStore } from './assistants-v2/vector-books.ts'
import { type Bucket, type BucketQuery, groupFields } from './organization-pages.ts'
import { project } from './organization-usage.ts'
import type { World } from './world.ts'

/** What `usage/vector_stores` may be grouped by. */
export const vectorGroups = ['project_id'] as const

/** The results of a bucket of `usage/vector_stores`: one, or none where nothing was stored. The vendor says of
 * `usage_bytes` only that it is the usage in bytes. Here it is the mean of what all stores held, free bytes included,
 * over as much of the bucket as has passed, to the nearest byte: bytes x time is then what storage is billed by. */
export const vectorResults =
  (world: World) =>
  ({ from, to }: Bucket, { groups, only }: BucketQuery): readonly unknown[] => {
    if ([...only].some(([field, values]) => field !== 'project_id' || !values.includes(project))) return []
    expireStores(world)
    const [begin, end] = [from * 1000, Math.min(to * 1000, world.clock.now())]
    if (end <= begin) return []
    const byteMilliseconds = world.state
      .holdings()
      .filter(isOfVectorStore)
      .reduce((sum, { bytes, from, to }) => {
        const lasts = Math.min(to ?? end, end) - Math.max(from, begin)
        return lasts > 0 ? sum + BigInt(bytes) * BigInt(lasts) : sum
      }, 0n)
    if (byteMilliseconds === 0n) return []
    const width = BigInt(end - begin)
    return [
      {
        object: 'organization.usage.vector_stores.result',
        usage_bytes: Number((2n * byteMilliseconds + width) / (2n * width)),
        ...groupFields(vectorGroups, groups, () => project),
      },
    ]
  }
