import type { Meter } from '../usage/meter.ts'
import { countOf, type Json, listOf, member, textOf } from './json.ts'

/** What tools of Anthropic's own make of a call. `passes`: how often the model may read its context, null where
 * nothing says; `fees`: what they cost by the use; `unseen`: what they add to the prompt that the body does not show. */
type HostedTools = {
  readonly passes: number | null
  readonly fees: readonly { readonly meter: Meter; readonly most: number }[]
  readonly unseen: string | null
  readonly reason: string
}

/** Those that a request may use so often and no more: each use is followed by one more pass. Newer versions of them
 * run code besides, of which nothing says how often. */
const limited: Readonly<Record<string, Meter>> = {
  web_search_20250305: 'web_search_call',
  web_fetch_20250910: 'web_fetch_call',
}

/** Those that the client itself runs, whose definition the vendor writes and does not publish. */
const runByClient = /^(?:bash|text_editor|computer|memory)_\d{8}$/

/** Reads the tools of a request, and what else makes it take passes of its own (@anthropic-ai/sdk 1.13.0). */
export const hostedTools = (request: Json): HostedTools => {
  const fees: { meter: Meter; most: number }[] = []
  let unseen: string | null = null
  for (const tool of listOf(member(request, 'tools'))) {
    const type = textOf(member(tool, 'type')) ?? 'custom'
    if (type === 'custom') continue
    const meter = Object.hasOwn(limited, type) ? limited[type] : undefined
    const most = countOf(member(tool, 'max_uses'))
    if (meter !== undefined && most !== null) fees.push({ meter, most })
    else if (runByClient.test(type)) unseen = `the tool ${type}, whose definition is not published`
    else return unlimited(`the tool ${type.slice(0, 60)} has no limit to its uses`)
  }
  const why = passesApart.find(({ field }) => isGiven(member(request, field)))?.why
  if (why !== undefined) return unlimited(why)
  const uses = fees.reduce((sum, { most }) => sum + most, 0)
  const reason = `the request allows ${uses} uses of tools of the vendor, and the model reads its context again after each`
  return { passes: 1 + uses, fees, unseen, reason }
}

const unlimited = (reason: string): HostedTools => ({ passes: null, fees: [], unseen: null, reason })

const passesApart = [
  { field: 'mcp_servers', why: 'the tools of an MCP server have no limit to their uses' },
  { field: 'fallbacks', why: 'another model may answer, at its own price' },
  { field: 'compaction', why: 'a compaction of the context is billed beside the answer' },
  {
    field: 'context_management',
    why: 'managing the context may take passes that are billed beside the answer',
  },
]

const isGiven = (value: Json): boolean =>
  value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0)
