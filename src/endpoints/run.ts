import type { Instant } from '../time.ts'
import type { Counter } from '../tokens/text.ts'
import type { Meter } from '../usage/meter.ts'
import type { Reading } from '../usage/read.ts'
import type { Usage } from '../usage/usage.ts'
import type { Counted, MeteredWire, StandingChange } from './endpoint.ts'
import type { CapHistory } from './history-cap.ts'
import type { Json } from './json.ts'

/** A wire whose reply names a run that goes on at the vendor and is billed when it ends. */
export type RunWire = MeteredWire & {
  readonly kind: 'run'
  /** The tokens, at most, that the request itself adds to a thread that is there. */
  readonly adds: (request: Json) => number
  /** The run in a reply, or null when there is none. */
  readonly readRun: (reply: Json) => Run | null
  /** An event of a stream: the run in it, as the vendor shows it, and whether it is the last one. */
  readonly readEvent: (event: string) => {
    readonly run: Run | null
    readonly shown: Json
    readonly ends: boolean
  }
  readonly capHistory: CapHistory
  readonly runPath: (run: RunPlace) => string
  /** A page of the run's thread, and of its steps, oldest first. */
  readonly messagesPath: (run: RunPlace, after: string | null) => string
  readonly readMessages: (reply: Json) => Page<Message>
  readonly stepsPath: (run: RunPlace, after: string | null) => string
  readonly readSteps: (reply: Json) => Page<RunStep>
  /** The files that the run's searches could find something in; and where the size of one is read. */
  readonly searched: (run: Run, messages: readonly Message[], steps: readonly RunStep[]) => readonly string[]
  readonly filePath: (file: string) => string
  readonly countRun: (run: Run, seen: SeenRun, counting: RunCounting) => CountedRun
  /** What the run's assistant keeps because of it, from its begin on. */
  readonly keeps: (run: Run, messages: readonly Message[]) => readonly StandingChange[]
  /** The uses of tools that are billed by session. */
  readonly uses: (run: Run, steps: readonly RunStep[]) => readonly ToolUse[]
}

export type RunPlace = { readonly id: string; readonly thread: string }

export type Page<Item> = { readonly items: readonly Item[]; readonly next: string | null }

/** `tools` are those it may call, as the vendor has them; `files` those it may read. `started`: whether the vendor
 * began to work on it. `ended`: it will not change any more. */
export type Run = RunPlace & {
  readonly assistant: string | null
  readonly model: string
  readonly instructions: string
  readonly tools: readonly Json[]
  readonly files: readonly string[]
  readonly at: Instant | null
  readonly started: boolean
  readonly ended: boolean
  /** Null while it goes on, and where the vendor does not say. */
  readonly endedAt: Instant | null
  readonly status: string
  readonly usage: Reading | null
}

export type Message = {
  readonly id: string
  readonly role: string
  readonly text: string
  readonly run: string | null
  readonly at: Instant | null
  readonly files: readonly string[]
}

/** A step of a run: calls of tools, or a message that was written. */
export type RunStep = {
  readonly id: string
  readonly at: Instant | null
  readonly message: string | null
  readonly calls: readonly ToolCall[]
}

/** A call of a tool: what the model wrote, and what came back, as far as the vendor shows it. */
export type ToolCall = {
  readonly id: string
  readonly kind: string
  readonly name: string
  readonly written: string
  readonly returned: string
  /** The files it made. */
  readonly files: readonly string[]
}

/** What was read of a run. `fileBytes`: the sizes of the files that its searches could find something in; null
 * where one is not known. */
export type SeenRun = {
  readonly messages: readonly Message[]
  readonly steps: readonly RunStep[]
  readonly fileBytes: readonly (number | null)[]
}

export type RunCounting = {
  readonly counter: Counter
  readonly promptTokensMax: number | null
  readonly outputTokensMax: number | null
}

/** A use of a tool that opens a session of so many seconds, unless one of this holder is open. */
export type ToolUse = {
  readonly id: string
  readonly meter: Meter
  readonly holder: string
  readonly seconds: number
  readonly at: Instant | null
  readonly attributes: Readonly<Record<string, string>>
}

/** A run that was counted. `low` and `high`: between which the truth is; null where nothing bounds it. */
export type CountedRun = Counted & { readonly low: Usage; readonly high: Usage | null }
