import { z } from 'zod'
import { OctroiError } from '../errors.ts'
import type { Journal } from '../ledger/deferred-reservations.ts'
import type { Limit } from '../limits/limit.ts'
import { parseLimits } from '../limits/parse-limit.ts'
import { providers } from '../providers/index.gen.ts'
import type { Provider } from '../providers/provider.ts'
import type { ConfiguredCap } from './history-cap.ts'
import type { UnmeteredPolicy } from './unmetered.ts'
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
      }),
    )
    .default({}),
  /** Whether paths that no wire has are passed on: those that are named, or begin as one with a `*` at its end, and all
   * others. */
  unmetered: z
    .strictObject({
      default: z.enum(['pass', 'refuse']).optional(),
      paths: z
        .record(
          z
            .string()
            .max(200)
            .regex(/^\/[^*]*\*?$/, 'write a path, as "/agents", or its beginning, as "/agents/*"'),
          z.enum(['pass', 'refuse']),
        )
        .default({}),
    })
    .default({ paths: {} }),
  limits: z.array(z.unknown()).max(1_000).default([]),
  /** Caps on history that is sent again, for the calls of whoever is named; of several the first that fits. */
  historyCaps: z
    .array(
      z
        .strictObject({
          match: z
            .strictObject({
              key: z.string().optional(),
              organization: z.string().optional(),
              team: z.string().optional(),
              project: z.string().optional(),
              environment: z.string().optional(),
            })
            .default({}),
          lastMessages: z.int().min(1).max(1_000_000).optional(),
          promptTokens: z.int().min(256).max(1_000_000_000).optional(),
          truncation: z.literal('auto').optional(),
        })
        .refine(
          (cap) => [cap.lastMessages, cap.promptTokens, cap.truncation].some((part) => part !== undefined),
          {
            message: 'a cap needs lastMessages, promptTokens or truncation',
          },
        ),
    )
    .max(1_000)
    .default([]),
})

export type GatewayConfig = {
  readonly anonymous: boolean
  readonly journal: Journal
  readonly upstreams: readonly Upstream[]
  readonly limits: readonly Limit[]
  readonly historyCaps: readonly ConfiguredCap[]
  readonly unmetered: UnmeteredPolicy
}

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
  const { anonymous, journal, limits, historyCaps, unmetered } = parsed.data
  const configured = Object.entries(parsed.data.providers)
  const named = configured.length === 0 ? [['openai', {}] as const] : configured
  return {
    anonymous,
    journal,
    upstreams: named.map(([name, settings]) => upstreamOf(name, settings, environment)),
    limits: readLimits(limits),
    unmetered: { default: unmetered.default ?? null, paths: unmetered.paths },
    historyCaps: historyCaps.map(
      ({ match, lastMessages = null, promptTokens = null, truncation = null }) => ({
        match: withoutGaps(match),
        lastMessages,
        promptTokens,
        truncation,
      }),
    ),
  }
}

/** Reads limits as a gateway keeps them. Throws `bad_input` naming the field and the remedy. */
export const readLimits = (limits: readonly unknown[]): readonly Limit[] => parseLimits(limits)

/** What holds without a configuration: OpenAI, or the address given, and the client's own keys. */
export const defaultConfig = (environment: Environment, baseUrl?: string): GatewayConfig => ({
  ...readConfig({ providers: { openai: baseUrl === undefined ? {} : { baseUrl } } }, environment),
  anonymous: true,
})

/** What is named of whom a cap holds for. */
const withoutGaps = (
  match: { [Part in keyof ConfiguredCap['match']]?: string | undefined },
): ConfiguredCap['match'] =>
  Object.fromEntries(Object.entries(match).filter(([, value]) => value !== undefined))

type Settings = {
  kind?: string | undefined
  baseUrl?: string | undefined
  keyVariable?: string | undefined
  pricesFrom?: string | undefined
  models?: Record<string, string> | undefined
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
    credential: (variable === null ? undefined : environment[variable]) ?? null,
    keyVariable: variable,
    pricesFrom: settings.pricesFrom ?? (settings.kind === undefined ? provider.id : name),
    models: settings.models ?? {},
  }
}
