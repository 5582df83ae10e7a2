import type { Learn } from '../endpoints/endpoint.ts'
import type { Json } from '../endpoints/json.ts'
import type { Exchange } from './exchange.ts'
import type { Registry } from './registry/registry.ts'

/** Remembers who owns the objects that a reply shows, and what bounds the calls that will name them. */
export const rememberObjects = async (
  registry: Registry,
  { target, caller, request }: Exchange,
  seen: { learn: Learn; reply: Json; callId?: string },
): Promise<void> => {
  const learned = seen.learn({ request, reply: seen.reply })
  if (learned.length === 0) return
  const owner = caller.key?.id ?? null
  await registry.remember(
    learned.map((facts) => ({
      upstream: target.upstream.name,
      owner,
      callId: facts.kind === 'run' ? (seen.callId ?? null) : null,
      facts,
    })),
  )
}
