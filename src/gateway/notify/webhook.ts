import { createHmac } from 'node:crypto'
import { Agent, request } from 'undici'
import type { Instant } from '../../time.ts'
import type { StoredAlert } from '../registry/alerts.ts'
import { lookupWithin, type Reach, refuseOutOfReach } from './addresses.ts'

/** A receiver of alerts. `secret` is the key that signs. */
export type Webhook = {
  readonly url: URL
  readonly secret: Uint8Array
  /** It may be on a private address, and there be spoken to in the clear. */
  readonly allowPrivate: boolean
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

/** Sends by HTTP, without following redirects, within ten seconds, and reads nothing of the answer but its status. */
export const createSendWebhook = (): { readonly send: SendWebhook; readonly close: () => Promise<void> } => {
  const connect = { timeout: timeoutMs }
  const agents = {
    public: new Agent({ connect: { ...connect, lookup: lookupWithin('public') } }),
    private: new Agent({ connect: { ...connect, lookup: lookupWithin('private') } }),
    anywhere: new Agent({ connect }),
  }
  return {
    send: async (webhook, alert, at) => {
      const { url } = webhook
      const reach = reachOf(webhook)
      const seconds = Math.floor(at / 1_000)
      try {
        if (reach !== null) refuseOutOfReach(reach, url.hostname)
        const { statusCode, body } = await request(url, {
          method: 'POST',
          dispatcher: agents[reach ?? 'anywhere'],
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
        body.on('error', () => {}).destroy()
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

/** Where a webhook may be; null is anywhere. In the clear it may be inside the operator's network alone. */
export const reachOf = ({ url, allowPrivate }: Pick<Webhook, 'url' | 'allowPrivate'>): Reach | null =>
  allowPrivate ? (url.protocol === 'http:' ? 'private' : null) : 'public'

const reasonOf = (error: unknown): string => {
  const { name, message, code } = error as { name?: string; message?: string; code?: string }
  return name === 'TimeoutError'
    ? 'it did not answer in ten seconds'
    : (message ?? code ?? 'it failed').slice(0, 200)
}
