import { readFileSync } from 'node:fs'
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { onTestFinished } from 'vitest'
import { manualClock, parseInstant } from '../../time.ts'
import { createSandbox, type Sandbox, type SandboxOptions } from '../sandbox.ts'

const vendors = ['openai', 'anthropic', 'google']
const read = (path: string) =>
  JSON.parse(readFileSync(new URL(`../../../prices/${path}`, import.meta.url), 'utf8'))

/** The price files of the vendors of today, and the facts of their models. */
export const pricesNow: SandboxOptions['prices'] = vendors.map((name) => read(`${name}.json`))
export const factsNow: readonly unknown[] = vendors.map((name) => read(`models/${name}.json`))

/** Noon of the day the tests live in. */
export const noonNow = parseInstant('2026-11-25T12:00:00Z')

/** A sandbox of today for one test, its clock, and the official client of each vendor. */
export const openNow = async (
  options: Partial<SandboxOptions> = {},
): Promise<{
  sandbox: Sandbox
  clock: ReturnType<typeof manualClock>
  openai: OpenAI
  anthropic: Anthropic
  google: GoogleGenAI
}> => {
  const clock = manualClock(noonNow)
  const sandbox = await createSandbox({
    profile: 'now',
    clock,
    prices: pricesNow,
    models: factsNow,
    seed: 'test',
    ...options,
  })
  onTestFinished(sandbox.close)
  return {
    sandbox,
    clock,
    openai: new OpenAI({ apiKey: 'sk-test', baseURL: sandbox.baseUrl, maxRetries: 0 }),
    anthropic: new Anthropic({ apiKey: 'sk-ant-test', baseURL: `${sandbox.url}/anthropic`, maxRetries: 0 }),
    google: new GoogleGenAI({ apiKey: 'test', httpOptions: { baseUrl: `${sandbox.url}/google` } }),
  }
}
