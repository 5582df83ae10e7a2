import { createHmac } from 'node:crypto'
import { Agent, request } from 'undici'
import { OctroiError } from '../../errors.ts'
import type { Instant } from '../../time.ts'
import type { StoredAlert } from '../registry/alerts.ts'
import { lookupWithin, refuseHost } from './addresses.ts'

/** A receiver of alerts. `secret` is the key that signs. */
export type Webhook = {
  readonly url: URL
  readonly secret: Uint8Array
  /** It may be on a private address, and there be spoken to in the clear. */
  readonly allowPrivate: boolean
  /** Whether it is to be told of an alert of this type about this limit. */
  readonly hears: (type: string, limit: string) => boolean
}

/** Sends an alert once. Resolves with null where it was taken (2xx), else with why not; never rejects. */
export type SendWebhook = (webhook: Webhook, alert: StoredAlert, at: Instant) => Promise<string | null>

const timeoutMs = 10_000

/** The signature of Standard Webhooks, version 1: HMAC-SHA256 over id, timestamp and body. */
const signatureOf = (
  { secret }: Pick<Webhook, 'secret'>,
  { id, body }: Pick<StoredAlert, 'id' | 'body'>,
  seconds: number,
): string => `v1,${createHmac('sha256', secret).update(`${id}.${seconds}.${body}`).digest('base64')}`

/** What of an answer is read, and thrown away, so that its sender does not see it broken off. */
const answerBytesMax = 4_096

/** Sends by HTTP, without following redirects, within ten seconds. Of the answer only its status counts. */
export const createSendWebhook = (): { readonly send: SendWebhook; readonly close: () => Promise<void> } => {
  const connect = { timeout: timeoutMs }
  const agents = {
    public: new Agent({ connect: { ...connect, lookup: lookupWithin('public') } }),
    private: new Agent({ connect: { ...connect, lookup: lookupWithin('private') } }),
    any: new Agent({ connect }),
  }
  const agentFor = ({ url, allowPrivate }: Webhook): Agent => {
    if (!allowPrivate) return agents.public
    return url.protocol === 'https:' ? agents.any : agents.private
  }
  return {
    send: async (webhook, alert, at) => {
      const { url } = webhook
      const seconds = Math.floor(at / 1_000)
      try {
        refuseUnfit(webhook)
        const { statusCode, body } = await request(url, {
          method: 'POST',
          dispatcher: agentFor(webhook),
          headers: {
            'content-type': 'application/json',
            'user-agent': 'octroi',
            'webhook-id': alert.id,
            'webhook-timestamp': `${seconds}`,
            'webhook-signature': signatureOf(webhook, alert, seconds),
          },
          body: alert.body,
          signal: AbortSignal.timeout(timeoutMs),
        })
        await body.dump({ limit: answerBytesMax }).catch(() => {})
        if (statusCode >= 200 && statusCode < 300) return null
        return statusCode < 400 && statusCode >= 300
          ? `it redirects (${statusCode}), which is not followed`
          : `it answered ${statusCode}`
      } catch (error) {
        return reasonOf(error)
      }
    },
    close: async () => {
      await Promise.all(Object.values(agents).map((agent) => agent.destroy()))
    },
  }
}

/** Throws `bad_input` where its address is written as one that it may not have, or would be spoken to in the clear. */
export const refuseUnfit = ({ url, allowPrivate }: Pick<Webhook, 'url' | 'allowPrivate'>): void => {
  const isClear = url.protocol !== 'https:'
  if (isClear && !allowPrivate) {
    throw new OctroiError(
      'bad_input',
      `A webhook may not point at ${url.origin}, which is not https. Inside your network, set "allowPrivate".`,
    )
  }
  if (isClear || !allowPrivate) refuseHost(url.hostname, isClear ? 'private' : 'public')
}

const reasonOf = (error: unknown): string => {
  const { name, message, code } = error as { name?: string; message?: string; code?: string }
  return name === 'TimeoutError'
    ? 'it did not answer in ten seconds'
    : (message ?? code ?? 'it failed').slice(0, 200)
}
