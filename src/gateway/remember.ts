import { type Json, member, textOf } from '../endpoints/json.ts'
import type { Learn, ObjectFacts } from '../endpoints/objects.ts'
import { encodingOf, loadEncoding, tokensAtMost } from '../tokens/text.ts'
import type { Exchange } from './exchange.ts'
import type { Registry } from './registry/registry.ts'
import type { Upstream } from './upstream.ts'

/** Remembers who owns the objects that a reply shows, and what bounds the calls that will name them. */
export const rememberObjects = async (
  registry: Registry,
  { target, caller, request }: Exchange,
  seen: { learn: Learn; reply: Json; callId?: string },
): Promise<void> => {
  const { learn, reply } = seen
  const learned = learn({ request, reply, tokensOf: await tokensFor(textOf(member(reply, 'model'))) })
  await rememberFacts(
    registry,
    { upstream: target.upstream, owner: caller.key?.id ?? null },
    learned,
    seen.callId,
  )
}

/** Remembers objects as their owner's own. `callId`: the call that a run among them is billed to. */
export const rememberFacts = async (
  registry: Registry,
  { upstream, owner }: { readonly upstream: Upstream; readonly owner: string | null },
  learned: readonly ObjectFacts[],
  callId?: string,
): Promise<void> => {
  if (learned.length === 0) return
  await registry.remember(
    learned.map((facts) => ({
      upstream: upstream.name,
      owner,
      callId: facts.kind === 'run' || facts.kind === 'job' ? (callId ?? null) : null,
      facts,
    })),
  )
}

/** What is counted at once; a hostile text of this length takes 20 ms. */
const countedLengthMax = 64_000

const tokensFor = async (model: string | null): Promise<(text: string) => number> => {
  const encoding = model === null ? null : encodingOf(model)
  if (encoding === null) return tokensAtMost
  const counter = await loadEncoding(encoding)
  return (text) => (text.length > countedLengthMax ? tokensAtMost(text) : counter.count(text))
}
