import { parentPort } from 'node:worker_threads'
import type { ReplyWire } from '../endpoints/endpoint.ts'
import { type Json, parseJson } from '../endpoints/json.ts'
import type { RunWire } from '../endpoints/run.ts'
import { providers } from '../providers/index.gen.ts'
import { type Counter, encodingOf, loadEncoding } from '../tokens/text.ts'
import type { CountAnswered, CountAsked, Counts, WirePlace } from './counting.ts'

/** The thread that counts texts, one after the other. It is given data, and finds the wire that knows how. */

const count = async (asked: CountAsked): Promise<Counts> => {
  switch (asked.of) {
    case 'prompt': {
      const { body, as } = asked
      const wire = replyWire(asked.place)
      if (wire?.countPrompt == null) return none
      return {
        ...none,
        prompt: wire.countPrompt(jsonOf(body), { ...as, counter: await counterOf(as.model) }),
      }
    }
    case 'reply': {
      const { body, produced, as } = asked
      const wire = replyWire(asked.place)
      if (wire === null) return none
      const counting = { ...as, counter: await counterOf(as.model) }
      return { ...none, counted: wire.count(jsonOf(body), produced, counting) }
    }
    case 'run': {
      const { run, seen, room } = asked
      const wire = runWire(asked.place)
      if (wire === null) return none
      return { ...none, run: wire.countRun(run, seen, { ...room, counter: await counterOf(run.model) }) }
    }
  }
}

const none: Counts = { prompt: null, counted: null, run: null }

const routesOf = ({ provider, endpoint, path }: WirePlace) =>
  (providers[provider]?.endpoints ?? [])
    .filter(({ id }) => id === endpoint)
    .flatMap(({ routes }) => routes)
    .filter((route) => path === null || route.path === path)

const replyWire = (place: WirePlace): ReplyWire | null => {
  for (const route of routesOf(place)) if (route.billing === 'reply') return route.wire
  return null
}

const runWire = (place: WirePlace): RunWire | null => {
  for (const route of routesOf(place)) {
    if (route.billing === 'later' && route.wire.kind === 'run') return route.wire
  }
  return null
}

const jsonOf = (body: Uint8Array): Json => parseJson(new TextDecoder().decode(body))

/** Counts by the encoding of the model; a model of unknown encoding by today's most common one. */
const counterOf = (model: string): Promise<Counter> => loadEncoding(encodingOf(model) ?? 'o200k_base')

parentPort?.on('message', (asked: CountAsked) => {
  void count(asked)
    .catch((): Counts => none)
    .then((counts) => parentPort?.postMessage(counts satisfies CountAnswered))
})
/** The vocabularies of nearly all models of today are there before the first question. */
await Promise.all([loadEncoding('cl100k_base'), loadEncoding('o200k_base')])
parentPort?.postMessage('ready' satisfies CountAnswered)
