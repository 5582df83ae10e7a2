import type { OctroiError } from '../errors.ts'
import type { Rational } from '../money/rational.ts'
import type { Instant } from '../time.ts'
import type { PromptCount } from '../tokens/chat.ts'
import type { Counter } from '../tokens/text.ts'
import type { Meter } from '../usage/meter.ts'
import type { Reading } from '../usage/read.ts'
import type { Usage } from '../usage/usage.ts'
import type { Bound } from './bound.ts'
import type { Json } from './json.ts'

/** A wire of which the replies are known: what a recorded reply used can be read and priced. */
export type ReadWire = { readonly id: string; readonly reader: ReplyReader }

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
 * that kind. `free` costs nothing; `reply`: the reply tells what it cost; `later`: the reply names a run that
 * is billed when it ends; `closed` is refused. */
export type Route = FreeRoute | ReplyRoute | LaterRoute | ClosedRoute

type Place = { readonly method: 'GET' | 'POST' | 'DELETE'; readonly path: string }

export type FreeRoute = Place & {
  readonly billing: 'free'
  /** What to remember of the object that the reply shows. */
  readonly learn?: Learn
  /** The tokens, at most, that the request adds to the object its path names, whatever becomes of its reply. */
  readonly grows?: { readonly kind: ObjectKind; readonly by: (request: Json) => number }
  /** Its reply is a run as it stands now, and may show that it has ended. */
  readonly observes?: RunWire
}
export type ReplyRoute = Place & { readonly billing: 'reply'; readonly wire: ReplyWire }
export type LaterRoute = Place & { readonly billing: 'later'; readonly wire: RunWire; readonly learn?: Learn }
export type ClosedRoute = Place & { readonly billing: 'closed'; readonly why: string }

/** What lives at the vendor and is named by later calls. Only the owner that created it may reach it. */
export type ObjectKind = 'assistant' | 'thread' | 'run'

/** What is remembered of such an object so that later calls can be bounded: never its content.
 * `tokensMost` bounds the tokens of its text from above; null where nothing bounds them. */
export type ObjectFacts = {
  readonly kind: ObjectKind
  readonly id: string
  /** The thread of a run. */
  readonly parent: string | null
  readonly model: string | null
  readonly tokensMost: number | null
  readonly tools: boolean
}

export type KnownObjects = Readonly<Partial<Record<ObjectKind, ObjectFacts>>>

/** From a request and its reply: the objects that were created or changed. */
export type Learn = (exchange: { request: Json; reply: Json }) => readonly ObjectFacts[]

/** A request as far as it fixes price and identity. */
export type RequestFacts = {
  readonly model: string | null
  readonly stream: boolean
  readonly tier: string | null
  readonly endUser: string | null
  readonly tags: Readonly<Record<string, string>>
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
  readonly read: (request: Json, objects: KnownObjects) => RequestFacts
  readonly bound: (request: Json, surroundings: Surroundings) => readonly Bound[]
}

/** The reading half of a wire. `request` is what was asked, where it is at hand: some replies name neither the
 * model nor what selects the price. `meterStream` is null where the wire has no streams. */
export type ReplyReader = {
  readonly readReply: (reply: Json, request?: Json) => Reply
  readonly meterStream: ((request?: Json) => StreamMeter) | null
}

/** A wire whose reply tells what the call cost. */
export type ReplyWire = MeteredWire & {
  readonly readReply: (reply: Json, request?: Json) => Reply
  readonly meterStream: (request?: Json) => StreamMeter
  /** Tightens the bounds of a request by an exact count of its prompt; null where that bounds nothing. */
  readonly tighten: (bounds: readonly Bound[], count: PromptCount) => readonly Bound[] | null
  /** Puts the question for usage into a streaming request, where the wire has that question at `at` and the
   * client did not put it. Null when nothing is added. */
  readonly askUsage: (request: Json, at: Instant) => string | null
  /** Takes out of an event what `askUsage` caused; null when the whole event was caused by it. */
  readonly cutUsage: (event: string) => string | null
  /** Counts what a call used where the vendor did not say. */
  readonly count: (request: Json, produced: readonly string[], counter: Counter) => Counted
  /** History sent again and all text of the request, in bytes, where counting is not worth it. */
  readonly history: (request: Json) => { readonly resent: number; readonly total: number }
}

/** What a whole reply or a whole stream says of its cost. `usage` is null where the vendor reported none;
 * `produced` then holds the visible text, one a choice, for counting. */
export type Reply = Priced & {
  /** The vendor's id of what is billed: what comes again with the same id is the same charge, not a second
   * one. Null where the vendor names none; then each call is its own. */
  readonly id: string | null
  readonly usage: Reading | null
  readonly produced: readonly string[]
  /** What the same reply bills under another model or other attributes. */
  readonly apart: readonly Portion[]
  /** What goes on costing with time. */
  readonly standing: readonly Standing[]
  /** The vendor's own sum for the call, which is then its price. */
  readonly stated: Stated | null
  /** False while the vendor still works on it, or where a stream broke off: more may come. */
  readonly ended: boolean
}

/** What selects a price, as served: the model, the tier in the price list's words, and what else the reply or
 * the request says (`size`, `quality`, `cache_ttl` ...). */
export type Priced = {
  readonly model: string | null
  readonly tier: string | null
  readonly attributes: Readonly<Record<string, string>>
}

/** A part of a reply with a price of its own: a line of a batch, a tool's model, a cache lifetime. `id` names
 * it within the reply; its `usage` is null where the vendor reported none. `contextTokens`: where it is part of one call, all input tokens of that call, which
 * choose the context card; null where it is a call of its own. */
export type Portion = Priced & {
  readonly id: string | null
  readonly usage: Reading | null
  readonly contextTokens: number | null
}

/** Something that exists at the vendor and costs with time, as a reply shows it: whoever keeps accruals takes
 * it from here, once an `id`. `bytes` is null where its price does not depend on a size. */
export type Standing = {
  readonly meter: Meter
  readonly id: string
  readonly bytes: number | null
  readonly attributes: Readonly<Record<string, string>>
}

export type Stated = { readonly amount: Rational; readonly currency: 'USD' }

/** Reads a stream's events one by one. */
export type StreamMeter = {
  /** Returns true for the event that ends the stream. */
  readonly event: (event: string) => boolean
  readonly reply: () => Reply
}

/** A wire whose reply names a run that goes on at the vendor and is billed when it ends. */
export type RunWire = MeteredWire & {
  /** The run in a reply, or null when there is none. */
  readonly readRun: (reply: Json) => Run | null
  readonly runPath: (run: Run) => string
  /** A page of the run's thread, oldest first. */
  readonly messagesPath: (run: Run, after: string | null) => string
  readonly readMessages: (reply: Json) => {
    readonly messages: readonly Message[]
    readonly next: string | null
  }
  readonly countRun: (
    run: Run,
    messages: readonly Message[],
    counting: { counter: Counter; promptTokensMax: number | null },
  ) => Counted
}

export type Run = {
  readonly id: string
  readonly thread: string
  readonly model: string
  readonly instructions: string
  readonly ended: boolean
  readonly status: string
  readonly usage: Reading | null
}

export type Message = {
  readonly id: string
  readonly role: string
  readonly text: string
  readonly run: string | null
}

/** A usage that was counted here. `history`: input tokens that were sent before. `rule` names the rule. */
export type Counted = { readonly usage: Usage; readonly history: number; readonly rule: string }
