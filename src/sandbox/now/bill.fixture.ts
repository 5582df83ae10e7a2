import type { Sandbox, SandboxOptions } from '../sandbox.ts'
import { openNow } from './vendors.fixture.ts'

/** The day that the tests live in, and its midnight in seconds. */
export const day = '2026-11-25'
export const midnight = Date.parse(day) / 1000

/** A prompt that is long enough to be cached. */
const longPrompt = [
  { role: 'system' as const, content: 'word '.repeat(1500) },
  { role: 'user' as const, content: 'Hello' },
]

/** A sandbox of two calls of gpt-4o at noon, the second reading the first's prompt from the cache, and a message of
 * Claude Haiku 4.5. Each reply has 100 tokens. */
export const openServed = async (options: Partial<SandboxOptions> = {}) => {
  const opened = await openNow({ outputTokens: 100, projects: { 'sk-test': 'proj_a' }, ...options })
  const ask = () => opened.openai.chat.completions.create({ model: 'gpt-4o', messages: longPrompt })
  await ask()
  await ask()
  await opened.anthropic.messages.create({
    model: 'claude-haiku-4-5',
    max_tokens: 200,
    messages: [{ role: 'user', content: 'Hello' }],
  })
  return { ...opened, ask }
}

/** A page of a report, its text, and the status it came with. */
export const report = async (
  { url }: Sandbox,
  path: string,
  { key = 'sk-admin-test' }: { readonly key?: string } = {},
) => {
  const headers: Record<string, string> = path.startsWith('/anthropic')
    ? { 'x-api-key': key, 'anthropic-version': '2023-06-01' }
    : { authorization: `Bearer ${key}` }
  const response = await fetch(`${url}${path}`, { headers })
  const text = await response.text()
  return { status: response.status, text, page: JSON.parse(text) }
}
