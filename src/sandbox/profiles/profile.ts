import type { Refusal } from '../refusal.ts'

/** A model the vendor served at the time of the profile. */
export type ServedModel = {
  readonly id: string
  /** The name in replies: that of the snapshot. */
  readonly servedAs: string
  readonly contextTokensMax: number
  /** The model's own cap on a completion; null where only the context window bounds it. */
  readonly outputTokensMax: number | null
  /** Whether replies carry a `system_fingerprint`. */
  readonly fingerprint: boolean
  /** Reads images. */
  readonly vision?: true
  /** The length of a completion that names none; its room unless said. */
  readonly outputTokensDefault?: number
  /** As `GET /v1/models` says it. */
  readonly created: number
  readonly ownedBy: string
}

/** A model of another wire than chat. */
export type OtherModel = Pick<ServedModel, 'id' | 'created' | 'ownedBy'> & {
  readonly wire: 'images' | 'speech' | 'transcriptions' | 'embeddings' | 'completions'
}

/** The vendor as it was at one time: its models, what its wires had, and the words of its refusals. */
export type Profile = {
  readonly name: string
  readonly models: readonly ServedModel[]
  readonly otherModels: readonly OtherModel[]
  readonly organization: string
  readonly apiVersion: string
  /** The fields of a chat completion. */
  readonly chatArguments: ReadonlySet<string>
  readonly refusals: Refusals
}

/** What the vendor says when it refuses. */
export type Refusals = {
  readonly noKey: () => Refusal
  readonly wrongKey: (key: string) => Refusal
  readonly unknownUrl: (place: { method: string; path: string }) => Refusal
  readonly brokenJson: () => Refusal
  readonly unknownModel: (model: string) => Refusal
  readonly unknownModelOfAssistant: (model: string) => Refusal
  readonly noModel: () => Refusal
  readonly notForChat: () => Refusal
  readonly unknownArguments: (names: readonly string[]) => Refusal
  readonly contextExceeded: (size: ContextExcess) => Refusal
  readonly outputTooLarge: (size: { asked: number; cap: number }) => Refusal
  readonly noImages: (place: { message: number; part: number }) => Refusal
  readonly noBeta: () => Refusal
  readonly invalidRequest: (faults: readonly RequestFault[]) => Refusal
  readonly notFound: (object: { kind: string; id: string }) => Refusal
  readonly threadBusy: (thread: { thread: string; run: string }) => Refusal
  readonly secondRun: (thread: { thread: string; run: string }) => Refusal
  readonly cannotCancel: (status: string) => Refusal
  readonly noToolOutputs: (status: string) => Refusal
  readonly wrongToolOutputs: (calls: {
    readonly expected: readonly string[]
    readonly got: readonly string[]
  }) => Refusal
  readonly badSchema: (definition: { readonly name: string; readonly schema: unknown }) => Refusal
  readonly rateLimited: (model: string) => Refusal
  readonly quotaExceeded: () => Refusal
  readonly serverError: (status: number) => Refusal
}

/** Tokens of the messages, and of the completion that was asked for; null when no length was asked for. */
export type ContextExcess = {
  readonly window: number
  readonly prompt: number
  readonly completion: number | null
}

/** What is wrong with one field: `place` is the way to it, from `body` or `query` on. */
export type RequestFault = { readonly place: readonly string[]; readonly message: string }
