import { z } from 'zod'
import { OctroiError } from '../../errors.ts'
import { matcherOf } from '../../limits/pattern.ts'
import { limitAlertTypes } from './alert.ts'
import { refuseUnfit, type Webhook } from './webhook.ts'

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
        /** Of which limits it is told, by their names or patterns of them; of all by default. */
        limits: z.array(z.string().min(1).max(200)).min(1).max(100).default(['*']),
        /** Of what it is told; of everything by default. */
        types: z
          .array(z.enum(limitAlertTypes))
          .min(1)
          .default([...limitAlertTypes]),
      }),
    )
    .max(10)
    .default([]),
})

export type Alerts = { readonly webhooks: readonly Webhook[] }

type Environment = Readonly<Record<string, string | undefined>>

/** Reads who is told. Throws `bad_input` where a secret is missing or no secret, where an address is private or in the
 * clear without leave, carries a password, or stands twice. */
export const readAlerts = ({ webhooks }: z.output<typeof alertsSchema>, environment: Environment): Alerts => {
  const urls = new Set<string>()
  return {
    webhooks: webhooks.map(({ url: written, secretVariable, allowPrivate, limits, types }) => {
      const url = new URL(written)
      if (url.username !== '' || url.password !== '') {
        throw bad(`${url.host}: take the name and password out of its url. What is sent is signed.`)
      }
      if (urls.has(url.href)) throw bad(`${url.host}: the same url stands twice. Give it one entry.`)
      urls.add(url.href)
      refuseUnfit({ url, allowPrivate })
      const matchers = limits.map(matcherOf)
      return {
        url,
        secret: secretIn(secretVariable, environment),
        allowPrivate,
        hears: (type, limit) =>
          types.some((each) => each === type) && matchers.some((matches) => matches(limit)),
      }
    }),
  }
}

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
