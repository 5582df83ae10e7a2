import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { openai } from '../providers/openai.ts'
import { createForward, defaultTimeouts } from './forward.ts'

it('lets as many calls be at a vendor at once as the gateway has in flight, not five hundred', async () => {
  const calls = 600
  const there: ServerResponse[] = []
  let allThere = (): void => {}
  const all = new Promise<void>((resolve) => {
    allThere = resolve
  })
  const vendor = createServer((_, response) => {
    if (there.push(response) === calls) allThere()
  })
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve))
  const forward = createForward(defaultTimeouts)
  const baseUrl = new URL(`http://127.0.0.1:${(vendor.address() as AddressInfo).port}/v1`)
  const upstream = {
    ...{ name: 'openai', provider: openai, baseUrl, pricesFrom: 'openai', tier: null, learnsLimits: false },
    credential: () => 'sk-vendor',
  }
  const caller = { key: null, ownCredential: null, tags: {} } as never
  const ask = () =>
    forward.send({ upstream, method: 'POST', path: '/x', headers: {}, caller, body: Buffer.from('{}') })
  const replies = Array.from({ length: calls }, ask)
  await all
  for (const response of there) response.end('{}')
  for (const { status, body } of await Promise.all(replies)) {
    expect(status).toBe(200)
    body.resume()
  }
  await forward.close()
  await new Promise((resolve) => vendor.close(resolve))
})
