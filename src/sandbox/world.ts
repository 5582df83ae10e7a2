import type { Clock } from '../time.ts'
import type { Counter } from '../tokens/text.ts'
import type { BilledCall, Books } from './books.ts'
import type { Fault, RouteFamily } from './faults.ts'
import type { OtherModel, Profile, ServedModel } from './profiles/profile.ts'
import { lettersFrom, type Random } from './random.ts'
import { Refusal } from './refusal.ts'
import type { State } from './state.ts'

/** What every wire of a sandbox works with. */
export type World = {
  readonly profile: Profile
  /** Which Assistants this vendor speaks. */
  readonly assistants: 'v1' | 'v2'
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
  /** `http://127.0.0.1:PORT`: where the request came in. */
  readonly origin: string
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** The fields of the JSON, or the texts of the form. */
  readonly body: Fields
  /** The files of a form, by the name of their field. */
  readonly uploads: ReadonlyMap<string, Upload>
  readonly requestId: string
  readonly fault: Fault | null
}

export type Fields = Readonly<Record<string, unknown>>

/** A file of a form. */
export type Upload = { readonly filename: string; readonly bytes: Uint8Array<ArrayBuffer> }

/** Bytes as they are sent, with status 200 unless said. */
export type BytesAnswer = {
  readonly bytes: Uint8Array
  readonly contentType: string
  readonly status?: number
}

/** The answer of a wire: a JSON body, other bytes, or the events of a stream. */
export type Answer =
  | { readonly json: unknown }
  | BytesAnswer
  | {
      readonly events: Iterable<string> | AsyncIterable<string>
      /** That of server-sent events unless said. */
      readonly contentType?: string
    }

/** One method and path of the vendor. `:thread` stands for an id. */
export type WireRoute = {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly family: RouteFamily
  /** Needs the header `OpenAI-Beta: assistants=v1` (or v2, as the official SDKs of today send). */
  readonly beta?: true
  readonly startsRun?: true
  /** Takes a form (`multipart/form-data`). */
  readonly form?: true
  /** Asks for no key. */
  readonly open?: true
  /** Asks for an admin key, and takes no other. */
  readonly admin?: true
  readonly handle: (exchange: Exchange) => Answer | Promise<Answer>
}

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The clock's whole seconds, as the vendor writes times. */
export const seconds = (world: World): number => Math.floor(world.clock.now() / 1000)

export const servedModel = (world: World, id: unknown): ServedModel | null =>
  world.profile.models.find((model) => model.id === id) ?? null

/** The model of another wire than chat, or the vendor's refusal: of a name that is not served, and of a model that
 * this wire does not have. */
export const otherModel = (world: World, body: Fields, wire: OtherModel['wire']): OtherModel => {
  const { models, otherModels, refusals } = world.profile
  const name = body['model']
  if (name === undefined || name === null) throw refusals.noModel()
  const found = otherModels.find((model) => model.id === name)
  if (found?.wire === wire) return found
  const shown = String(name).slice(0, 100)
  if (found === undefined && !models.some(({ id }) => id === name)) throw refusals.unknownModel(shown)
  throw new Refusal(400, `The model \`${shown}\` is not supported at this endpoint.`, { param: 'model' })
}

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
