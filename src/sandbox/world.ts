import type { Clock } from '../time.ts'
import type { Counter } from '../tokens/text.ts'
import type { BilledCall, Books } from './books.ts'
import type { Fault, RouteFamily } from './faults.ts'
import type { Profile, ServedModel } from './profiles/profile.ts'
import { lettersFrom, type Random } from './random.ts'
import type { State } from './state.ts'

/** What every wire of a sandbox works with. */
export type World = {
  readonly profile: Profile
  readonly clock: Clock
  readonly state: State
  readonly books: Books
  readonly counter: Counter
  readonly seed: string
  readonly hiddenTokens: boolean
  readonly outputTokens: { readonly least: number; readonly most: number }
  readonly runMs: number
  /** A new id: a prefix and letters that say nothing. */
  readonly newId: (prefix: string, length?: number) => string
}

/** A request, read. */
export type Exchange = {
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly body: Fields
  readonly requestId: string
  readonly fault: Fault | null
}

export type Fields = Readonly<Record<string, unknown>>

/** The answer of a wire: a JSON body, or the events of a stream. */
export type Answer = { readonly json: unknown } | { readonly events: Iterable<string> }

/** One method and path of the vendor. `:thread` stands for an id. */
export type WireRoute = {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly family: RouteFamily
  /** Needs the header `OpenAI-Beta: assistants=v1` (or v2, as the official SDKs of today send). */
  readonly beta?: true
  readonly startsRun?: true
  readonly handle: (exchange: Exchange) => Answer
}

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The clock's whole seconds, as the vendor writes times. */
export const seconds = (world: World): number => Math.floor(world.clock.now() / 1000)

export const servedModel = (world: World, id: unknown): ServedModel | null =>
  world.profile.models.find((model) => model.id === id) ?? null

/** Writes a call into the state and the books. */
export const bill = (world: World, call: Omit<BilledCall, 'number' | 'at'>): void => {
  world.books.add(world.state.bill({ ...call, at: world.clock.now() }))
}

/** Tokens that a vendor adds and nobody can see: none unless the sandbox hides tokens. */
export const hiddenTokens = (world: World, random: Random): { prompt: number; completion: number } =>
  world.hiddenTokens
    ? { prompt: random.whole({ least: 8, most: 64 }), completion: random.whole({ least: 0, most: 12 }) }
    : { prompt: 0, completion: 0 }

/** Makes ids that no other opening of the same state makes. */
export const idMaker = ({ seed, opening }: { seed: string; opening: number }): World['newId'] => {
  let made = 0
  return (prefix, length = 24) => {
    made += 1
    return prefix + lettersFrom(length, seed, String(opening), prefix, String(made))
  }
}
