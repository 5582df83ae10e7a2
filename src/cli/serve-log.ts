import { OctroiError } from '../errors.ts'
import type { RefusedRequest } from '../gateway/handle.ts'
import type { TillLine } from '../gateway/till.ts'
import { formatPicos } from '../money/money.ts'
import { type Clock, formatInstant } from '../time.ts'

const levels = ['error', 'warn', 'info'] as const
type Level = (typeof levels)[number]

const forms = ['text', 'json', 'off'] as const

/** What a gateway tells of its life on standard error. No content, no key, no query and no words of a vendor are in
 * it: only what Octroi itself knows, and of errors their kind and where they arose. */
export type ServeLog = {
  readonly called: (line: TillLine) => void
  readonly refused: (request: RefusedRequest) => void
  readonly fault: (error: unknown) => void
  /** What begins or ends. As text it is written as it is; as JSON, `event` and `facts`. */
  readonly said: (text: string, event: string, facts?: Readonly<Record<string, unknown>>) => void
}

/** Opens the log. Throws `bad_input` for a form or a level that is none. */
export const openServeLog = (
  options: { readonly form: string; readonly level: string },
  { clock, write }: { readonly clock: Clock; readonly write: (text: string) => void },
): ServeLog => {
  const form = oneOf(forms, options.form, '--log')
  const loudest = levels.indexOf(oneOf(levels, options.level, '--log-level'))

  const tell = (
    level: Level,
    event: string,
    entry: { readonly text: string | null; facts: object },
  ): void => {
    if (form === 'off' || levels.indexOf(level) > loudest) return
    if (form === 'text') {
      if (entry.text !== null) write(`${entry.text}\n`)
    } else write(`${JSON.stringify({ at: formatInstant(clock.now()), level, event, ...entry.facts })}\n`)
  }

  return {
    called: (line) => tell('info', 'call', { text: null, facts: callFacts(line) }),
    refused: (request) => {
      const { method, provider, endpoint, code, status } = request
      const what = [method, provider, endpoint].filter((part) => part !== null).join(' ')
      const text = `octroi: refused ${what}: ${code} (${status})`
      tell(status >= 500 ? 'error' : 'warn', 'refused', { text, facts: request })
    },
    fault: (error) => {
      const facts = describeFault(error)
      const said = [facts.error, facts.code, facts.message].filter((part) => part !== null).join(' ')
      const text = [`octroi: fault ${said}`, ...facts.where].join('\n    at ')
      tell('error', 'fault', { text, facts })
    },
    said: (text, event, facts = {}) => tell('info', event, { text, facts }),
  }
}

/** What a call came to. Names that a client chose freely are not in it: its tags, and a model that has no price. */
const callFacts = ({ call, settlement, cost, spooled }: TillLine): object => {
  const { basis, status, currency, charges, unpriced } = settlement
  const { key, organization, team, project, environment } = call
  return {
    call: call.id,
    provider: call.provider,
    endpoint: call.endpoint,
    model: charges.length > 0 ? settlement.model : null,
    ...(key !== null && { key, organization, team, project, environment }),
    ...{ status, basis, cost: formatPicos(cost), currency },
    usage: Object.fromEntries(charges.map(({ meter, quantity }) => [meter, String(quantityOf(quantity))])),
    unpriced: unpriced.map(({ meter }) => meter),
    milliseconds: settlement.at - call.at,
    ...(spooled !== undefined && { spooled }),
  }
}

type Exact = { readonly numerator: bigint; readonly denominator: bigint }

const quantityOf = (quantity: number | Exact): number =>
  typeof quantity === 'number' ? quantity : Number(quantity.numerator) / Number(quantity.denominator)

/** The frames of a stack that are told. */
const framesMax = 8

/** An error by its kind and where it arose. Its message may quote what a client or a vendor sent, so it stays out,
 * but for what the ledger says of its file. */
const describeFault = (
  error: unknown,
): Readonly<Record<'code' | 'message', string | null>> & {
  readonly error: string
  readonly where: readonly string[]
} => {
  if (!(error instanceof Error)) return { error: typeof error, code: null, message: null, where: [] }
  const said = `${error.name}: ${error.message}`
  const stack = error.stack ?? ''
  const frames = stack.startsWith(said) ? stack.slice(said.length).split('\n') : []
  const code = error instanceof OctroiError ? error.code : systemCode(error)
  return {
    error: kindOf(error),
    code,
    message: code?.startsWith('ledger_') === true ? error.message : null,
    where: frames
      .map((frame) => /^\s+at (.+)$/.exec(frame)?.[1])
      .filter((frame) => frame !== undefined)
      .slice(0, framesMax),
  }
}

const kindOf = (error: Error): string => (/^\w{1,60}$/.test(error.name) ? error.name : 'Error')

const systemCode = (error: Error): string | null =>
  'code' in error && typeof error.code === 'string' && /^[A-Z0-9_]{2,40}$/.test(error.code)
    ? error.code
    : null

const oneOf = <Name extends string>(names: readonly Name[], given: string, option: string): Name => {
  const found = names.find((name) => name === given)
  if (found !== undefined) return found
  throw new OctroiError('bad_input', `${option}: "${given.slice(0, 40)}" is none of ${names.join(', ')}.`)
}
