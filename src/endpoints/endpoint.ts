import type { OctroiError } from '../errors.ts'
import type { Instant } from '../time.ts'
import type { PromptCount } from '../tokens/chat.ts'
import type { Counter } from '../tokens/text.ts'
import type { Meter } from '../usage/meter.ts'
import type { Usage } from '../usage/usage.ts'
import type { Bound } from './bound.ts'
import type { CapHistory } from './history-cap.ts'
import type { JobWire } from './job.ts'
import type { Json } from './json.ts'
import type { LaterWire } from './later.ts'
import type { KnownObjects, Learn, LearnReply, Names, ObjectKind } from './objects.ts'
import type { OutputLimit } from './output-limit.ts'
import type { Reply, ReplyReader, StreamMeter } from './reply.ts'

/** A wire: its routes, and how an error looks on it. `reader` reads its replies; null where none costs. */
export type Endpoint = {
  readonly id: string
  readonly reader: ReplyReader | null
  readonly routes: readonly Route[]
  readonly refusal: (error: OctroiError) => Refusal
  /** The event that tells a streaming client that the stream broke. */
  readonly streamFault: (error: OctroiError) => string
}

/** An error in the wire's own shape. */
export type Refusal = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** One method and path of a wire, below the provider's base URL. `:thread` stands for the id of an object of
 * that kind, `:model:action` for one that is followed by an action. `free` costs nothing; `reply`: the reply tells what it cost; `later`: the reply names a run or
 * a job that is billed when it ends; `closed` is refused; `unmetered`: no wire knows it. */
export type Route = FreeRoute | ReplyRoute | LaterRoute | ClosedRoute | UnmeteredRoute

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

type Place = {
  readonly method: Method
  readonly path: string
  /** It takes a form (multipart/form-data), whose values are texts and whose files are `FormFile`s. `sounds`:
   * the fields whose sound is billed by its length. */
  readonly form?: { readonly sounds: readonly string[] }
  /** What the path says that other wires say in their body: a request is read as if it stood there. */
  readonly told?: (params: Readonly<Record<string, string>>) => Told
}

/** What of a request stands elsewhere than in its body, under the names its wire reads it by. */
export type Told = Readonly<Record<string, string | boolean>>

/** What is known of a file in a form: never its content. `seconds`: the length of a sound, as its file says;
 * `secondsAtMost`: the longest its bytes can be. Both are null where that is not known or was not asked. */
export type FormFile = {
  readonly filename: string
  readonly type: string | null
  readonly bytes: number
  readonly seconds: number | null
  readonly secondsAtMost: number | null
}

export type FreeRoute = Place & {
  readonly billing: 'free'
  /** What to remember of the object that the reply shows. */
  readonly learn?: Learn
  /** The tokens, at most, that the request adds to the object its path names, whatever becomes of its reply; null
   * where nothing bounds them. */
  readonly grows?: { readonly kind: ObjectKind; readonly by: (request: Json) => number | null }
  /** Its reply is a run or a job as it stands now, and may show that it has ended. */
  readonly observes?: LaterWire
  readonly names?: Names
  /** What begins or ends to cost with time, once the vendor has done what was asked. */
  readonly standing?: (done: Done) => readonly StandingChange[]
  /** It takes away the thread that its path names: runs of it that are over are settled before. */
  readonly deletes?: 'thread'
}

export type ReplyRoute = Place & {
  readonly billing: 'reply'
  readonly wire: ReplyWire
  readonly names?: Names
  /** What to remember of the objects that its reply names. */
  readonly learn?: LearnReply
  /** Where a request can ask for a reply that only names what goes on, as that of a `later` route does. */
  readonly later?: {
    readonly isAsked: (request: Json) => boolean
    readonly wire: JobWire
    readonly learn: Learn
  }
}

export type LaterRoute = Place & {
  readonly billing: 'later'
  readonly wire: LaterWire
  readonly learn?: Learn
  readonly names?: Names
}

export type ClosedRoute = Place & { readonly billing: 'closed'; readonly why: string }

/** A path that is passed on although nobody here can say what it costs. */
export type UnmeteredRoute = Place & { readonly billing: 'unmetered' }

/** What was asked and done. `params` are the ids in the path, by kind. */
export type Done = {
  readonly request: Json
  readonly reply: Json
  readonly params: Readonly<Record<string, string>>
}

/** `holds`: what a holder keeps from now on because of a source, each object once whatever its sources; `exact` says
 * that it keeps nothing else because of it. `releases`: what is kept no longer, of one holder, object or source, or of
 * every one where null. `look`: the reply says too little, so what `path` shows is read;
 * nothing where that is gone. `store`: a vector store as it was seen, `store-gone` one that was deleted;
 * `look-at-stores`: what was done may have changed any of them. */
export type StandingChange =
  | {
      readonly change: 'holds'
      readonly meter: Meter
      readonly holder: string
      readonly source: string
      readonly objects: readonly { readonly id: string; readonly path: string }[]
      readonly exact: boolean
      readonly attributes: Readonly<Record<string, string>>
    }
  | {
      readonly change: 'releases'
      readonly holder: string | null
      readonly object: string | null
      readonly source: string | null
    }
  | {
      readonly change: 'look'
      readonly path: string
      readonly read: (reply: Json) => readonly StandingChange[]
    }
  | {
      readonly change: 'store'
      readonly id: string
      readonly bytes: number
      readonly endsAt: Instant | null
    }
  | { readonly change: 'store-gone'; readonly id: string }
  | { readonly change: 'look-at-stores'; readonly read: (id: string) => StandingChange }

/** A request as far as it fixes price and identity. */
export type RequestFacts = {
  readonly model: string | null
  readonly stream: boolean
  readonly tier: string | null
  readonly endUser: string | null
  readonly tags: Readonly<Record<string, string>>
  /** The conversation it says it belongs to, where its wire has such. */
  readonly conversation?: string | null
}

/** What bounds a request besides itself. */
export type Surroundings = {
  /** Whose rules and model it is counted by, and when. */
  readonly provider: string
  readonly model: string
  readonly at: Instant
  readonly bodyBytes: number
  readonly contextWindow: number | null
  readonly outputTokensMax: number | null
  readonly objects: KnownObjects
}

/** The metered half that every wire has. */
export type MeteredWire = {
  /** `at`: where a default of the wire has changed with time; the newest holds without it. */
  readonly read: (request: Json, objects: KnownObjects, at?: Instant) => RequestFacts
  readonly bound: (request: Json, surroundings: Surroundings) => readonly Bound[]
}

/** By what a prompt is counted: the counter of its texts, and whose rules hold for what is no text, and when.
 * `lengths`: the seconds of sounds, by their base64, where they were measured; `bytesEach`: how much is looked at of
 * what is no text, where others wait meanwhile. */
export type Counting = {
  readonly counter: Counter
  readonly provider: string
  readonly model: string
  readonly at: Instant
  readonly lengths?: ReadonlyMap<string, number>
  readonly bytesEach?: number
  /** What is known of the objects that the request names. */
  readonly objects?: KnownObjects
}

/** Counts a prompt: its texts, and its images and sounds by rules of their own. Takes as long as the request is
 * large, so a gateway asks for it in a thread of its own. Never throws. */
export type CountPrompt = (request: Json, counting: Counting) => PromptCount

/** A wire whose reply tells what the call cost. */
export type ReplyWire = MeteredWire & {
  readonly readReply: (reply: Json, request?: Json) => Reply
  readonly meterStream: (request?: Json) => StreamMeter
  /** Its streams may come as one JSON array of their chunks instead of events. */
  readonly streamsArrays?: true
  /** Counts the prompt of a request; null where the wire has none to count. */
  readonly countPrompt: CountPrompt | null
  /** Tightens the bounds of a request by an exact count of its prompt; null where that bounds nothing. */
  readonly tighten: (bounds: readonly Bound[], count: PromptCount) => readonly Bound[] | null
  /** Puts the question for usage into a streaming request, where the wire has that question at `at` and the
   * client did not put it. Null when nothing is added. */
  readonly askUsage: (request: Json, at: Instant) => string | null
  /** Takes out of an event what `askUsage` caused; null when the whole event was caused by it. */
  readonly cutUsage: (event: string) => string | null
  /** Counts what a call used where the vendor did not say. */
  readonly count: (request: Json, produced: readonly string[], counting: Counting) => Counted
  /** Absent where the wire has no field that caps its history, or no history. */
  readonly capHistory?: CapHistory
  /** The limit that a request puts on its reply, which may be lowered; null where it has none that is known. Absent
   * where the wire has no such field. */
  readonly outputLimit?: (request: Json, surroundings: Surroundings) => OutputLimit | null
  /** History sent again and all text of the request, in bytes, where counting is not worth it. */
  readonly history: (request: Json) => { readonly resent: number; readonly total: number }
  /** History that the vendor keeps and reads again, in tokens; null where it is not known, and bytes tell. */
  readonly kept?: (
    request: Json,
    objects: KnownObjects,
  ) => { readonly tokens: number; readonly exact: boolean } | null
}

/** A usage that was counted here. `history`: input tokens that were sent before. `rule` names the rule. */
export type Counted = { readonly usage: Usage; readonly history: number; readonly rule: string }
