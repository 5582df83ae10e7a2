import type { Json } from './json.ts'
import type { Reply } from './reply.ts'

/** What lives at the vendor and is named by later calls. Only the owner that created it may reach it. An `item` is one
 * of a response: not all of them are seen, so one that is not known may be named by anyone. */
export type ObjectKind =
  | 'assistant'
  | 'thread'
  | 'run'
  | 'file'
  | 'job'
  | 'response'
  | 'conversation'
  | 'vector_store'
  | 'container'
  | 'item'

/** What is remembered of such an object so that later calls can be bounded: never its content.
 * `tokensMost` bounds the tokens of its text from above; null where nothing bounds them. */
export type ObjectFacts = {
  readonly kind: ObjectKind
  readonly id: string
  /** The thread of a run; the conversation that a response is a part of, or the first response of its chain. */
  readonly parent: string | null
  readonly model: string | null
  readonly tokensMost: number | null
  /** An assistant has tools. Of a response: not all of its tokens are read again by the one that follows it. */
  readonly tools: boolean
  /** How many tokens of a response are expected to be read again by the one that follows it; absent or null where
   * that is not known. */
  readonly tokensAgain?: number | null
  /** The bytes of a file; absent or null where they are not known. */
  readonly bytes?: number | null
}

export type KnownObjects = Readonly<Partial<Record<ObjectKind, ObjectFacts>>>

/** From a request and its reply: the objects that were created or changed. `tokensOf` counts a text in the encoding
 * of the model that the reply names, or gives its bound where that would take long. */
export type Learn = (exchange: {
  readonly request: Json
  readonly reply: Json
  readonly tokensOf?: (text: string) => number
}) => readonly ObjectFacts[]

/** The objects that a body names in lists or deeper down; `assistant_id` and the like at its top are found without. */
export type Names = (request: Json) => readonly { readonly kind: ObjectKind; readonly id: string }[]

/** The objects that a reply, whole or streamed, named or changed. */
export type LearnReply = (exchange: {
  readonly request: Json
  readonly reply: Reply
  readonly objects: KnownObjects
}) => readonly ObjectFacts[]
