import { z } from 'zod'
import { OctroiError } from '../../errors.ts'
import { parsePicos } from '../../money/money.ts'
import { refuseOutOfReach } from './addresses.ts'
import type { BurnSettings } from './burn-watch.ts'
import { reachOf, type Webhook } from './webhook.ts'

/** Who is told of limits, as zod reads it. */
export const alertsSchema = z.strictObject({
  webhooks: z
    .array(
      z.strictObject({
        url: z.url({ protocol: /^https?$/ }),
        /** The name of the environment variable that holds its secret, `whsec_` and base64. */
        secretVariable: z.string().regex(/^[A-Z][A-Z0-9_]*$/),
        /** It may be on a private address, and there be spoken to in the clear. */
        allowPrivate: z.boolean().default(false),
      }),
    )
    .max(10)
    .default([]),
  /** Budgets that are watched for how fast they are spent, by their names or patterns of them. */
  burnRate: z
    .strictObject({
      limits: z.array(z.string().min(1).max(200)).min(1).max(100),
      /** Less than this in the longer stretch of time is not told of, in the budget's currency. */
      spentMin: z
        .string()
        .regex(/^\d{1,12}(\.\d{1,12})?$/, 'write an amount, as "5.00"')
        .default('0'),
    })
    .optional(),
})

export type Alerts = { readonly webhooks: readonly Webhook[]; readonly burn: BurnSettings | null }

type Environment = Readonly<Record<string, string | undefined>>

/** Reads who is told. Throws `bad_input` where a secret is missing or no secret, and where an address is private or in
 * the clear without leave. */
export const readAlerts = (
  { webhooks, burnRate }: z.output<typeof alertsSchema>,
  environment: Environment,
): Alerts => ({
  webhooks: webhooks.map(({ url: written, secretVariable, allowPrivate }, at) => {
    const url = new URL(written)
    const reach = reachOf({ url, allowPrivate })
    if (reach !== null) refuseOutOfReach(reach, url.hostname)
    if (reach === 'public' && url.protocol !== 'https:') {
      throw bad(`${url.origin} is not https. Inside your network, set "allowPrivate".`)
    }
    if (webhooks.findIndex((other) => new URL(other.url).href === url.href) < at) {
      throw bad(`${url.origin}${url.pathname} stands there twice.`)
    }
    return { url, secret: secretIn(secretVariable, environment), allowPrivate }
  }),
  burn: burnRate === undefined ? null : { limits: burnRate.limits, spentMin: parsePicos(burnRate.spentMin) },
})

/** 24 to 64 bytes, as Standard Webhooks asks (version 1.0.0, "Symmetric"). */
const secretIn = (variable: string, environment: Environment): Uint8Array => {
  const written = environment[variable]
  if (written === undefined || written === '') throw bad(`the environment variable ${variable} is not set.`)
  const secret = Buffer.from(written.replace(/^whsec_/, ''), 'base64')
  if (/^whsec_[A-Za-z0-9+/]+={0,2}$/.test(written) && secret.length >= 24 && secret.length <= 64)
    return secret
  throw bad(`${variable} is no secret of a webhook. Write whsec_ and 24 to 64 random bytes in base64.`)
}

const bad = (what: string): OctroiError => new OctroiError('bad_input', `Configuration: alerts: ${what}`)
