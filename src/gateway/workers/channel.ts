import { type ErrorCode, OctroiError } from '../../errors.ts'
import { asOctroiError } from '../outgoing.ts'

/** What a process answers to another: a verb each, with one argument. */
export type Verbs = Readonly<Record<string, (argument: never) => unknown>>

type Argument<Verb extends (argument: never) => unknown> = Parameters<Verb>[0]
type Answer<Verb extends (argument: never) => unknown> = Awaited<ReturnType<Verb>>

/** One end of the way between two processes. What is sent arrives in its order. */
export type Channel<Theirs extends Verbs> = {
  /** Asks the other end. What is not asked for want of room is `overloaded` with `unsent` in its details. `heard` is called with the answer at the moment it arrives, before anything that was sent after
   * it. Rejects with what the verb threw, with `overloaded` when too much is asked at once, and with `internal` when the
   * other end is gone. */
  readonly ask: <Name extends keyof Theirs>(
    verb: Name,
    argument: Argument<Theirs[Name]>,
    heard?: (answer: Answer<Theirs[Name]>) => void,
  ) => Promise<Answer<Theirs[Name]>>
  /** Tells the other end, which does not answer. */
  readonly tell: <Name extends keyof Theirs>(verb: Name, argument: Argument<Theirs[Name]>) => void
  /** Takes what arrived; what is not of this channel is left aside. */
  readonly hear: (message: unknown) => void
  /** The other end is gone: whoever waits for it gets an error. */
  readonly close: () => void
}

/** An error as it crosses: an error of Octroi with all it says, any other as `internal`. */
type Fault = { readonly code: ErrorCode; readonly message: string; readonly details: object }

type Question = { readonly ask: number | null; readonly verb: string; readonly argument: unknown }

type Item =
  | Question
  | { readonly answer: number; readonly result: unknown }
  | { readonly answer: number; readonly fault: Fault }

type Waiting = {
  readonly heard: (answer: unknown) => void
  readonly reject: (error: OctroiError) => void
}

/** How much may be asked and not answered yet. */
const asksMaxDefault = 8_000

/** Opens one end. Everything sent in one round of the event loop travels in one message. `send` gives it to the other
 * process; `verbs` are what this end answers; `report` is told of faults of verbs that nobody waits for. */
export const createChannel = <Theirs extends Verbs>(parts: {
  readonly send: (message: unknown) => void
  readonly verbs: Verbs
  readonly report: (error: unknown) => void
  readonly asksMax?: number
}): Channel<Theirs> => {
  const { send, verbs, report, asksMax = asksMaxDefault } = parts
  const waiting = new Map<number, Waiting>()
  let items: Item[] = []
  let ids = 0
  let isClosed = false

  const put = (item: Item): void => {
    if (isClosed || items.push(item) > 1) return
    setImmediate(() => {
      const sent = items
      items = []
      if (!isClosed) send({ octroi: sent })
    })
  }

  const answer = async ({ ask, verb, argument }: Question): Promise<void> => {
    try {
      const known = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined
      if (known === undefined) throw new OctroiError('internal', `There is no verb "${verb.slice(0, 40)}".`)
      const result = await known(argument as never)
      if (ask !== null) put({ answer: ask, result })
    } catch (error) {
      if (ask === null) return report(error)
      if (!(error instanceof OctroiError)) report(error)
      const { code, message, details } = asOctroiError(error)
      put({ answer: ask, fault: { code, message, details } })
    }
  }

  return {
    ask: (verb, argument, heard) =>
      new Promise((resolve, reject) => {
        if (isClosed) return reject(gone())
        if (waiting.size >= asksMax) return reject(overloaded(asksMax))
        const id = ids++
        waiting.set(id, {
          heard: (result) => {
            heard?.(result as never)
            resolve(result as never)
          },
          reject,
        })
        put({ ask: id, verb: String(verb), argument })
      }),
    tell: (verb, argument) => put({ ask: null, verb: String(verb), argument }),
    hear: (message) => {
      for (const item of itemsOf(message)) {
        if ('verb' in item) void answer(item)
        else {
          const asked = waiting.get(item.answer)
          waiting.delete(item.answer)
          if ('fault' in item) {
            const { code, message: said, details } = item.fault
            asked?.reject(new OctroiError(code, said, { ...details }))
          } else asked?.heard(item.result)
        }
      }
    },
    close: () => {
      isClosed = true
      for (const { reject } of waiting.values()) reject(gone())
      waiting.clear()
    },
  }
}

const itemsOf = (message: unknown): readonly Item[] =>
  typeof message === 'object' && message !== null && 'octroi' in message ? (message.octroi as Item[]) : []

const gone = (): OctroiError => new OctroiError('internal', 'The other process of the gateway is gone.')

const overloaded = (asksMax: number): OctroiError =>
  new OctroiError('overloaded', `${asksMax} questions already wait for the ledger. Try again later.`, {
    unsent: true,
  })
