import { OctroiError } from '../errors.ts'
import { type Check, checkFault, isObject, oneOf, required, text, whole } from './fault-fields.ts'

/** The families of routes that a fault can be aimed at. */
export const routeFamilies = [
  ...(['chat-completions', 'models', 'assistants', 'threads', 'messages', 'runs', 'steps'] as const),
  ...(['files', 'images', 'speech', 'transcriptions', 'translations', 'embeddings'] as const),
  ...(['moderations', 'completions', 'organization', 'fine-tuning', 'vector-stores'] as const),
  ...(['responses', 'conversations', 'count-tokens', 'generate-content'] as const),
] as const
export type RouteFamily = (typeof routeFamilies)[number]

/** Something that goes wrong on purpose, for the next `times` requests (1 unless said) that match.
 *
 * - `status`: the vendor's own refusal of that status; nothing is billed. `code` may say
 *   `insufficient_quota`; `headers` are added.
 * - `cut`: the reply breaks off and the socket is destroyed, after `chunks` events of a stream (3 unless
 *   said), or, with `inside`, in the middle of the next one; a whole reply breaks off half-way. Billed whole:
 *   the vendor had produced it.
 * - `slow`: the first byte is sent `delayMs` later. Billed as ever.
 * - `hang`: never answered, until the client goes. Not billed.
 * - `html`: an error page of a proxy, 502 unless said. Not billed.
 * - `reset-before-reply`: the connection is reset before the first byte. Not billed, or, with `billed`, the
 *   vendor had done the work already.
 * - `missing-usage`: the reply says nothing of what it used. Billed as ever.
 * - `usage-twice`: a stream says twice what it used; a whole reply is as ever. Billed once.
 * - `malformed-event`: after `chunks` events of a stream (3 unless said) comes one that is no JSON. Billed as ever.
 * - `endless`: a stream repeats an event of its middle until the client goes. Billed as the reply that was meant.
 * - `run-failed`: the run that the request starts ends as `failed`. Not billed. */
export type Fault = FaultMatch &
  (
    | {
        readonly kind: 'status'
        readonly status: number
        readonly code?: 'insufficient_quota'
        readonly headers?: Readonly<Record<string, string>>
      }
    | { readonly kind: 'cut'; readonly chunks?: number; readonly inside?: boolean }
    | { readonly kind: 'slow'; readonly delayMs: number }
    | { readonly kind: 'hang' }
    | { readonly kind: 'html'; readonly status?: number }
    | { readonly kind: 'reset-before-reply'; readonly billed?: boolean }
    | { readonly kind: 'missing-usage' }
    | { readonly kind: 'usage-twice' }
    | { readonly kind: 'malformed-event'; readonly chunks?: number }
    | { readonly kind: 'endless' }
    | { readonly kind: 'run-failed' }
  )

/** Which requests a fault is for; what is not named matches all. `run-failed` matches only what starts a run. */
type FaultMatch = {
  readonly times?: number
  readonly endpoint?: RouteFamily
  readonly method?: string
  readonly model?: string
}

/** The faults that wait for requests, oldest first. */
export type Faults = {
  readonly add: (...faults: readonly Fault[]) => void
  readonly list: () => readonly Fault[]
  readonly clear: () => void
}

/** A request as faults see it. */
type Target = {
  readonly endpoint: RouteFamily
  readonly method: string
  readonly model: string | null
  readonly startsRun: boolean
}

const waitingMax = 1000

/** Gives the oldest fault that matches, and uses it up once. */
export type TakeFault = (target: Target) => Fault | null

/** Opens an empty queue. */
export const openFaults = (): Faults & { readonly take: TakeFault } => {
  let waiting: { readonly fault: Fault; left: number }[] = []
  return {
    add: (...faults) => {
      if (waiting.length + faults.length > waitingMax) {
        throw new OctroiError('bad_input', `At most ${waitingMax} faults can wait. Clear them first.`)
      }
      waiting.push(...faults.map((fault) => ({ fault, left: fault.times ?? 1 })))
    },
    list: () => waiting.map(({ fault, left }) => ({ ...fault, times: left })),
    clear: () => {
      waiting = []
    },
    take: (target) => {
      const found = waiting.find(({ fault }) => matches(fault, target))
      if (found === undefined) return null
      found.left -= 1
      if (found.left <= 0) waiting = waiting.filter((each) => each !== found)
      return found.fault
    },
  }
}

const matches = (fault: Fault, target: Target): boolean =>
  (fault.endpoint ?? target.endpoint) === target.endpoint &&
  (fault.method ?? target.method) === target.method &&
  (fault.model ?? target.model) === target.model &&
  (fault.kind !== 'run-failed' || target.startsRun)

/** Reads a fault that came as JSON. Throws `bad_input`. */
export const parseFault = (value: unknown): Fault => {
  checkFault<Fault>(value, { shared: matchFields, kinds: fieldsOf })
  return value
}

const headers: Check = {
  holds: (value) =>
    isObject(value) &&
    Object.entries(value).every(
      ([name, each]) =>
        /^(?!content-|transfer-|connection)[a-z0-9-]{1,64}$/i.test(name) &&
        typeof each === 'string' &&
        /^[ -~]{0,256}$/.test(each),
    ),
  means: 'an object of header names and values',
}

const matchFields: Readonly<Record<string, Check>> = {
  times: whole(1, 1_000_000),
  endpoint: oneOf(...routeFamilies),
  method: oneOf('GET', 'POST', 'DELETE'),
  model: text,
}

const fieldsOf: Readonly<Record<Fault['kind'], Readonly<Record<string, Check>>>> = {
  status: { status: required(whole(400, 599)), code: oneOf('insufficient_quota'), headers },
  cut: { chunks: whole(0, 1_000_000), inside: oneOf(true, false) },
  slow: { delayMs: required(whole(0, 600_000)) },
  hang: {},
  html: { status: whole(400, 599) },
  'reset-before-reply': { billed: oneOf(true, false) },
  'missing-usage': {},
  'usage-twice': {},
  'malformed-event': { chunks: whole(0, 1_000_000) },
  endless: {},
  'run-failed': {},
}
