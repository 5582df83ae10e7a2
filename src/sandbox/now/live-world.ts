import type { Counter } from '../../tokens/text.ts'
import type { BilledUsage } from '../books.ts'
import type { Random } from '../random.ts'
import { bill, hiddenTokens, type World } from '../world.ts'
import type { Callers } from './callers.ts'
import type { Catalogue, Vendor } from './catalogue.ts'
import type { PromptCache } from './prompt-cache.ts'

/** What the wires of today work with. `counter` is that of cl100k_base, `newCounter` that of o200k_base. */
export type LiveWorld = World & {
  readonly catalogue: Catalogue
  readonly cache: PromptCache
  readonly callers: Callers
  readonly newCounter: Counter
}

/** Writes a call of a vendor into the state and the books, without meters that count nothing. */
export const billVendor = (
  world: LiveWorld,
  call: {
    readonly provider: Vendor
    readonly wire: string
    readonly id: string
    readonly requestId: string
    readonly model: string
    readonly usage: BilledUsage
    readonly tier?: string
    readonly cacheLifetime?: string
    readonly promptTokens?: number
    readonly user?: string | null
    readonly attributes?: Readonly<Record<string, string>>
  },
): void => {
  const { tier = 'standard', cacheLifetime, user = null, attributes, usage, ...rest } = call
  bill(world, {
    ...rest,
    ...world.callers.of(call.requestId),
    user,
    usage: Object.fromEntries(Object.entries(usage).filter(([, quantity]) => quantity > 0)),
    attributes: {
      ...attributes,
      tier,
      ...(cacheLifetime !== undefined && { cache_ttl: cacheLifetime }),
    },
  })
}

/** The length of a reply: what is seen, and what is thought before it and nobody sees. Both are within `room`,
 * and where thoughts fill it nothing is seen. */
export const lengthOfReply = (
  world: LiveWorld,
  random: Random,
  { room, thinks }: { readonly room: number; readonly thinks: boolean },
): {
  readonly thought: number
  readonly hidden: { readonly prompt: number; readonly completion: number }
} => {
  const hidden = hiddenTokens(world, random)
  const thought = thinks ? 16 * random.whole({ least: 1, most: 16 }) : 0
  return { thought: Math.min(thought, room), hidden }
}
