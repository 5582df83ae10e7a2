import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import { onTestFinished } from 'vitest'
import { type Clock, manualClock, parseInstant } from '../time.ts'
import { createSandbox, type Sandbox, type SandboxOptions } from './sandbox.ts'

/** The price file that comes with the package. */
export const openaiPrices: SandboxOptions['prices'] = [
  JSON.parse(readFileSync(new URL('../../prices/openai.json', import.meta.url), 'utf8')),
]

/** Noon of the day the tests live in. */
export const noon = parseInstant('2023-11-15T12:00:00Z')

/** A sandbox for one test, and the official client of today that talks to it. */
export const openSandbox = async (
  options: Partial<SandboxOptions> & { readonly clock?: Clock } = {},
): Promise<{ sandbox: Sandbox; client: OpenAI }> => {
  const sandbox = await createSandbox({
    profile: '2023-11',
    clock: manualClock(noon),
    prices: openaiPrices,
    seed: 'test',
    runMs: 2,
    ...options,
  })
  onTestFinished(sandbox.close)
  return { sandbox, client: new OpenAI({ apiKey: 'sk-test', baseURL: sandbox.baseUrl, maxRetries: 0 }) }
}

/** The name of a state file that goes with the test. */
export const newStateFile = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'octroi-sandbox-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'state.db')
}
