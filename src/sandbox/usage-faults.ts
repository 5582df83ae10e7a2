import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from './faults.ts'
import { type Answer, type Fields, isFields } from './world.ts'

/** An answer as a fault bends it, whatever the wire: without its usage, with it twice, with an event that is no
 * JSON, or without an end. Any other fault leaves it as it is. */
export const bent = (answer: Answer, fault: Fault | null): Answer => {
  if (fault === null || 'bytes' in answer) return answer
  if ('json' in answer) return fault.kind === 'missing-usage' ? { json: withoutUsage(answer.json) } : answer
  const { events } = answer
  switch (fault.kind) {
    case 'missing-usage':
      return { ...answer, events: mapped(events, unmetered) }
    case 'usage-twice':
      return { ...answer, events: lastTwice(events) }
    case 'malformed-event':
      return { ...answer, events: withBroken(events, fault.chunks ?? eventsBefore) }
    case 'endless':
      return { ...answer, events: endless(events) }
    default:
      return answer
  }
}

/** Events that come before a broken one, unless the fault says how many. */
const eventsBefore = 3

/** The names under which wires report usage, at the top or in the object that an event carries. */
const usageNames = ['usage', 'usageMetadata', 'tool_usage']
const holders = ['response', 'message']

const withoutUsage = (value: unknown): unknown =>
  isFields(value)
    ? Object.fromEntries(
        Object.entries(value)
          .filter(([name]) => !usageNames.includes(name))
          .map(([name, each]) => [name, holders.includes(name) ? withoutUsage(each) : each]),
      )
    : value

/** An event without usage; none, where it was there for the usage alone. */
const unmetered = (event: string): string => {
  const data = dataOf(event)
  if (data === null) return event
  const rest = withoutUsage(data.value)
  const isUsageAlone =
    isFields(rest) && Array.isArray(rest['choices']) && rest['choices'].length === 0 && hasUsage(data.value)
  return isUsageAlone ? '' : data.before + JSON.stringify(rest) + data.after
}

type Events = Iterable<string> | AsyncIterable<string>

async function* mapped(events: Events, change: (event: string) => string): AsyncGenerator<string> {
  for await (const event of events) {
    const changed = change(event)
    if (changed !== '') yield changed
  }
}

/** The last event that has a usage comes twice. */
async function* lastTwice(events: Events): AsyncGenerator<string> {
  const all = await gathered(events)
  const last = all.findLastIndex((event) => hasUsage(dataOf(event)?.value))
  for (const [index, event] of all.entries()) {
    yield event
    if (index === last) yield event
  }
}

const gathered = async (events: Events): Promise<readonly string[]> => {
  const all: string[] = []
  for await (const event of events) all.push(event)
  return all
}

async function* withBroken(events: Events, after: number): AsyncGenerator<string> {
  let sent = 0
  for await (const event of events) {
    if (sent === after) yield 'data: {"broken": \n\n'
    sent += 1
    yield event
  }
  if (sent <= after) yield 'data: {"broken": \n\n'
}

/** Half of the events, and then the next one again and again, a millisecond apart. */
async function* endless(events: Events): AsyncGenerator<string> {
  const all = await gathered(events)
  const middle = Math.floor(all.length / 2)
  yield* all.slice(0, middle)
  for (;;) {
    await sleep(1, undefined, { ref: false })
    yield all[middle] ?? ': nothing\n\n'
  }
}

const hasUsage = (value: unknown): boolean =>
  isFields(value) &&
  (usageNames.some((name) => isFields(value[name])) || holders.some((name) => hasUsage(value[name])))

/** The JSON of an event, and the text around it; null where it has none. */
const dataOf = (event: string): { before: string; value: Fields; after: string } | null => {
  const [, before, data, after] =
    /^((?:event: [^\n]*\n)?(?:data: )?[[,\r\n]*)(\{.*\})(\s*)$/s.exec(event) ?? []
  if (before === undefined || data === undefined || after === undefined) return null
  const value: unknown = JSON.parse(data)
  return isFields(value) ? { before, value, after } : null
}
