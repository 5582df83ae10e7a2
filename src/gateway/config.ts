import { z } from 'zod'
import { OctroiError } from '../errors.ts'
import type { Journal } from '../ledger/deferred-reservations.ts'
import { tierNames, type VendorTier } from '../limits/vendor-tier.ts'
import { providers } from '../providers/index.gen.ts'
import type { Provider } from '../providers/provider.ts'
import {
  type AllocationRules,
  allocationRulesSchema,
  readAllocationRules,
} from '../reports/allocation-rules.ts'
import { type Alerts, alertsSchema, readAlerts } from './notify/alerts-config.ts'
import { type Rules, readRules, rulesSchema } from './rules.ts'
import { type Sealing, sealingSchema } from './sealed-days.ts'
import type { Upstream } from './upstream.ts'

/** What the operator may configure, as zod reads it. */
export const configSchema = z.strictObject({
  /** Without a file, calls without an Octroi key pass on loopback; with one, only where it says so. */
  anonymous: z.boolean().default(false),
  /** When a reservation goes to the disk. `before-reply` halves the flushes, and loses calls in flight at a crash. */
  journal: z.enum(['before-send', 'before-reply']).default('before-send'),
  providers: z
    .record(
      z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
      z.strictObject({
        /** A provider of Octroi; its name by default. */
        kind: z.string().optional(),
        baseUrl: z.url({ protocol: /^https?$/ }).optional(),
        /** The name of the environment variable that holds the vendor's key. */
        keyVariable: z
          .string()
          .regex(/^[A-Z][A-Z0-9_]*$/)
          .optional(),
        pricesFrom: z.string().optional(),
        /** The model behind each name of the operator's own: a deployment's, an alias. */
        models: z.record(z.string().max(200), z.string().max(200)).optional(),
        /** The tier of the account at the vendor: calls wait for its rate limits here, as far as they are known. */
        tier: z.enum(tierNames).optional(),
        /** Take the vendor's rate limits from its replies; always so where there is a `tier`. */
        rateLimits: z.literal('learn').optional(),
      }),
    )
    .default({}),
  ...rulesSchema.shape,
  alerts: alertsSchema.default({ webhooks: [] }),
  /** By which rules `GET /octroi/v1/reports/allocation` allocates. */
  allocation: allocationRulesSchema.optional(),
  /** Seal each day by itself, and leave the calls of older days to their files. */
  sealing: sealingSchema.optional(),
})

export type GatewayConfig = {
  readonly anonymous: boolean
  readonly journal: Journal
  readonly upstreams: readonly Upstream[]
  readonly alerts: Alerts
  /** Null where none are configured. */
  readonly allocation: AllocationRules | null
  /** Null where nothing is sealed by itself. */
  readonly sealing: Sealing | null
} & Rules

type Environment = Readonly<Record<string, string | undefined>>

/** Reads a configuration: which providers, which limits, who may call. The first provider also answers under
 * `/v1`. Throws `bad_input` naming the field and the remedy. */
export const readConfig = (json: unknown, environment: Environment): GatewayConfig => {
  const parsed = configSchema.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new OctroiError(
      'bad_input',
      `Configuration: ${issue?.path.join('.') || 'the file'}: ${issue?.message}.`,
    )
  }
  const { anonymous, journal, limits, historyCaps, unmetered, allocation, sealing } = parsed.data
  const configured = Object.entries(parsed.data.providers)
  const named = configured.length === 0 ? [['openai', {}] as const] : configured
  return {
    anonymous,
    journal,
    upstreams: named.map(([name, settings]) => upstreamOf(name, settings, environment)),
    ...readRules({ limits, historyCaps, unmetered }),
    alerts: readAlerts(parsed.data.alerts, environment),
    allocation: allocation === undefined ? null : readAllocationRules(allocation),
    sealing: sealing ?? null,
  }
}

/** What holds without a configuration: OpenAI, or the address given, and the client's own keys. */
export const defaultConfig = (environment: Environment, baseUrl?: string): GatewayConfig => ({
  ...readConfig({ providers: { openai: baseUrl === undefined ? {} : { baseUrl } } }, environment),
  anonymous: true,
})

type Settings = {
  kind?: string | undefined
  baseUrl?: string | undefined
  keyVariable?: string | undefined
  pricesFrom?: string | undefined
  models?: Record<string, string> | undefined
  tier?: VendorTier | undefined
  rateLimits?: 'learn' | undefined
}

const upstreamOf = (name: string, settings: Settings, environment: Environment): Upstream => {
  const passable = Object.values(providers).filter(({ endpoints }) => endpoints.length > 0)
  const provider: Provider | undefined = passable.find(({ id }) => id === (settings.kind ?? name))
  if (provider === undefined) {
    const known = passable.map(({ id }) => id)
    throw new OctroiError(
      'unknown_provider',
      `Configuration: providers.${name}: there is no provider "${settings.kind ?? name}" to which calls are passed. Set "kind" to one of: ${known.join(', ')}.`,
    )
  }
  const baseUrl = settings.baseUrl ?? provider.baseUrl
  if (baseUrl === null) {
    throw new OctroiError(
      'bad_input',
      `Configuration: providers.${name} needs a baseUrl, such as http://127.0.0.1:8000/v1.`,
    )
  }
  const variable = settings.keyVariable ?? provider.keyVariable
  return {
    name,
    provider,
    baseUrl: new URL(baseUrl),
    credential: () => (variable === null ? undefined : environment[variable]) ?? null,
    keyVariable: variable,
    pricesFrom: settings.pricesFrom ?? (settings.kind === undefined ? provider.id : name),
    models: settings.models ?? {},
    tier: settings.tier ?? null,
    learnsLimits: settings.tier !== undefined || settings.rateLimits === 'learn',
  }
}
