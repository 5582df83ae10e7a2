import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { bundledModels } from '../../src/cli/bundled.ts'
import type { GatewayOptions } from '../../src/gateway/app.ts'
import type { SandboxOptions } from '../../src/sandbox/sandbox.ts'
import { startWorld, type TestWorld } from '../support/world.ts'

/** What an official client is told: where the gateway is, and a key of a team. */
export type Access = { readonly url: string; readonly secret: string }

/** The sandbox of today and a gateway before it, on a clock that stands at noon of its day. */
export type NowWorld = TestWorld & { readonly access: (team: string) => Promise<Access> }

/** Starts the vendors of today and a gateway before all three of them. */
export const startNow = async (
  options: {
    readonly limits?: readonly object[]
    readonly sandbox?: Partial<SandboxOptions>
    readonly gateway?: Partial<GatewayOptions>
  } = {},
): Promise<NowWorld> => {
  const keyVariable = 'VENDOR_KEY'
  const world = await startWorld({
    at: '2026-11-25T12:00:00Z',
    sandbox: { profile: 'now', models: await bundledModels(), ...options.sandbox },
    ...(options.gateway !== undefined && { gateway: options.gateway }),
    config: (sandbox) => ({
      limits: options.limits ?? [],
      providers: {
        openai: { baseUrl: sandbox.baseUrl, keyVariable },
        anthropic: { baseUrl: `${sandbox.url}/anthropic/v1`, keyVariable },
        google: { baseUrl: `${sandbox.url}/google`, keyVariable },
      },
    }),
  })
  const { registry, url } = world.gateway
  const none = { name: null, organization: null, project: null, environment: null }
  return {
    ...world,
    access: async (team) => {
      const { secret } = await registry.createKey({ ...none, team }, world.clock.now())
      return { url, secret }
    },
  }
}

/** The official client of each vendor, as an application sets it up. */
export const officialClients = ({ url, secret }: Access, { maxRetries = 0 } = {}) => ({
  openai: new OpenAI({ apiKey: secret, baseURL: `${url}/v1`, maxRetries }),
  anthropic: new Anthropic({ apiKey: secret, baseURL: `${url}/anthropic`, maxRetries }),
  google: new GoogleGenAI({
    apiKey: secret,
    vertexai: false,
    httpOptions: {
      baseUrl: `${url}/google`,
      ...(maxRetries > 0 && { retryOptions: { attempts: maxRetries + 1 } }),
    },
  }),
})
