import { parseJson } from '../../src/endpoints/json.ts'
import type { Reply, ReplyReader } from '../../src/endpoints/reply.ts'
import { priceReply } from '../../src/endpoints/reply-cost.ts'
import { formatPicos } from '../../src/money/money.ts'
import { format } from '../../src/money/rational.ts'
import type { Cost } from '../../src/pricing/price.ts'
import type { PriceBook } from '../../src/pricing/price-book.ts'
import { providers } from '../../src/providers/index.gen.ts'
import { replyReader } from '../../src/providers/provider.ts'
import { parseInstant } from '../../src/time.ts'
import type { Quantity } from '../../src/usage/usage.ts'

/** A scenario: what a vendor's replies on one wire look like, what they used and what that cost. One text file:
 * comments, the head (`provider:`, `endpoint:`, `at:`), then sections `-- request --`, `-- response --`,
 * `-- stream --`, `-- lines --` (a JSON Lines file), `-- usage --` and `-- cost --`. A section named
 * `-- response: label --` belongs to the case of that label; where a case has no request or instant (`-- at --`) of
 * its own, those of the first hold. */
export type Scenario = {
  readonly provider: string
  readonly endpoint: string
  /** The provider whose prices hold, where it has none of its own. */
  readonly pricesFrom: string | null
  readonly cases: readonly Case[]
}

/** The replies that one call could have had, each of which must read the same. */
export type Case = { readonly label: string; readonly sections: ReadonlyMap<string, string> }

const sectionNames = ['at', 'request', 'response', 'stream', 'lines', 'usage', 'cost']

/** Reads a scenario. Throws an `Error` that says what is wrong with it. */
export const parseScenario = (text: string): Scenario => {
  const [head = '', ...parts] = text.split(/^-- (.+) --$/m)
  const fields = new Map(
    head
      .split('\n')
      .filter((line) => line.includes(': ') && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
  )
  const field = (name: string): string => {
    const value = fields.get(name)
    if (value === undefined) throw new Error(`the head has no "${name}: "`)
    return value
  }
  const cases = new Map<string, Map<string, string>>()
  for (let index = 0; index < parts.length; index += 2) {
    const [name = '', label = ''] = (parts[index] ?? '').split(': ')
    if (!sectionNames.includes(name)) throw new Error(`there is no section "${name}"`)
    const sections = cases.get(label) ?? new Map<string, string>()
    if (sections.has(name)) throw new Error(`"${name}: ${label}" is there twice`)
    sections.set(name, (parts[index + 1] ?? '').replace(/^\n/, ''))
    cases.set(label, sections)
  }
  const first = new Map([
    ['at', field('at')],
    ...[...(cases.get('') ?? [])].filter(([name]) => name === 'request'),
  ])
  return {
    provider: field('provider'),
    endpoint: field('endpoint'),
    pricesFrom: fields.get('pricesFrom') ?? null,
    cases: [...cases].map(([label, sections]) => ({ label, sections: new Map([...first, ...sections]) })),
  }
}

/** The events of a stream, each with the blank line that ends it. */
export const eventsOf = (stream: string): readonly string[] => stream.match(/(?:.+\n)+\n?/g) ?? []

/** The reader of a scenario's wire. */
export const readerOf = ({ provider, endpoint }: Scenario): ReplyReader => {
  const found = providers[provider]
  const reader = found === undefined ? null : replyReader(found, endpoint)
  if (reader === null) throw new Error(`${provider} has no wire "${endpoint}" whose replies are read`)
  return reader
}

/** What each reply of a case says, by the section it stands in. */
export const readCase = (reader: ReplyReader, { sections }: Case): ReadonlyMap<string, Reply> => {
  const request = jsonOf(sections.get('request'))
  const replies = new Map<string, Reply>()
  const response = sections.get('response')
  if (response !== undefined) replies.set('response', reader.readReply(jsonOf(response), request))
  const lines = sections.get('lines')
  if (lines !== undefined) {
    const list = lines.trim().split('\n').map(jsonOf)
    replies.set('lines', reader.readReply(list, request))
  }
  const stream = sections.get('stream')
  if (stream !== undefined) {
    const meter = reader.meterStream?.(request)
    if (meter === undefined) throw new Error('the wire has no streams')
    for (const event of eventsOf(stream)) meter.event(event)
    replies.set('stream', meter.reply())
  }
  return replies
}

/** What a section holds. Throws where it is no JSON: a slip in a file is not a reply. */
const jsonOf = (text: string | undefined): unknown => {
  if (text === undefined) return undefined
  const value = parseJson(text)
  if (value === undefined) throw new Error(`this is not JSON: ${text.slice(0, 60)}`)
  return value
}

/** A reply as a scenario writes it: what selects its price, then its meters, then what is apart. */
export const showReply = (reply: Reply): string => {
  const lines = [
    ...(reply.id === null ? [] : [`id ${reply.id}`]),
    ...(reply.ended ? [] : ['not ended']),
    ...(reply.model === null ? [] : [`model ${reply.model}`]),
    ...(reply.tier === null ? [] : [`tier ${reply.tier}`]),
    ...pairs(reply.attributes),
    ...(reply.usage === null ? ['unknown'] : quantities(reply.usage.usage)),
    ...(reply.usage?.problems ?? []).map((problem) => `problem: ${problem}`),
    ...(reply.usage?.unknown ?? []).map((unknown) => `unknown: ${unknown}`),
    ...reply.apart.flatMap((portion) => [
      `apart ${[portion.id, portion.model, portion.tier, ...pairs(portion.attributes)].filter((each) => each !== null).join(', ')}`,
      ...[
        ...(portion.usage === null ? ['unknown'] : quantities(portion.usage.usage)),
        ...(portion.usage?.problems ?? []).map((problem) => `problem: ${problem}`),
        ...(portion.usage?.unknown ?? []).map((unknown) => `unknown: ${unknown}`),
      ].map((line) => `  ${line}`),
    ]),
    ...reply.standing.map(({ meter, id, bytes, attributes }) =>
      ['standing', meter, id, ...(bytes === null ? [] : [`${bytes} bytes`]), ...pairs(attributes)].join(' '),
    ),
    ...(reply.stated === null ? [] : [`stated ${format(reply.stated.amount)} ${reply.stated.currency}`]),
  ]
  return `${lines.join('\n')}\n`
}

/** What a reply cost, as a scenario writes it: a total, or the part that has prices and what has none. */
export const showCost = (scenario: Scenario, { sections }: Case, reply: Reply, book: PriceBook): string => {
  const request = jsonOf(sections.get('request')) as { model?: unknown; service_tier?: unknown } | undefined
  const cost = priceReply(reply, callOf(scenario, sections.get('at') ?? '', request), book)
  if (cost === null) return 'unknown\n'
  if (cost.total !== null) return `${formatPicos(cost.total)}\n`
  return `${formatPicos(cost.pricedTotal)} and ${unpricedOf(cost)}\n`
}

const callOf = (
  { provider, pricesFrom }: Scenario,
  at: string,
  request: { model?: unknown; service_tier?: unknown } | undefined,
) => ({
  provider,
  model: typeof request?.model === 'string' ? request.model : null,
  at: parseInstant(at.trim()),
  attributes: typeof request?.service_tier === 'string' ? { tier: request.service_tier } : {},
  ...(pricesFrom !== null && { pricesFrom }),
})

const unpricedOf = ({ unpriced }: Cost): string =>
  unpriced.map(({ meter, code }) => `${meter} ${code}`).join(', ')

const pairs = (attributes: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(attributes).map(([name, value]) => `${name} ${value}`)

const quantities = (usage: Readonly<Record<string, Quantity>>): readonly string[] => {
  const entries = Object.entries(usage).map(
    ([meter, quantity]) => `${meter} ${typeof quantity === 'number' ? quantity : format(quantity)}`,
  )
  return entries.length === 0 ? ['nothing'] : entries
}
