import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { openSqlite } from '../ledger/databases/sqlite.ts'
import { ledgerStore } from '../ledger/ledger.ts'
import { readLives } from '../ledger/reading.ts'
import { ledgerFile } from './data-folder.ts'

let world: TestWorld
afterEach(() => world.close())

const chat = { model: 'gpt-4', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 10 }

const ask = async (body: object, headers: Readonly<Record<string, string>> = {}): Promise<number> => {
  const reply = await fetch(`${world.gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ ...chat, ...body }),
  })
  await reply.arrayBuffer()
  return reply.status
}

/** How each call in the ledger ended, in the order in which they were reserved. */
const ends = async () => {
  const reader = await openSqlite({ file: ledgerFile(world.folder), stores: [ledgerStore], readOnly: true })
  const found = []
  for await (const page of readLives(reader, { from: 0, to: Number.MAX_SAFE_INTEGER })) {
    for (const life of page) {
      const [end] = life.ends
      if (end === undefined || end.kind === 'expired') continue
      found.push({ kind: end.kind, status: end.status ?? null, attempt: end.attempt })
    }
  }
  await reader.close()
  return found
}

it('writes how long the vendor took, to the first byte and to the end, of whole replies and streams', async () => {
  world = await startWorld({ sandbox: { latencyMs: 60 } })
  expect(await ask({})).toBe(200)
  expect(await ask({ stream: true })).toBe(200)
  const written = await ends()
  expect(written.map(({ kind, status }) => [kind, status])).toEqual([
    ['settled', 200],
    ['settled', 200],
  ])
  for (const { attempt } of written) {
    expect(attempt?.firstByteMs).toBeGreaterThanOrEqual(59)
    expect(attempt?.durationMs).toBeGreaterThanOrEqual(attempt?.firstByteMs ?? Number.POSITIVE_INFINITY)
    expect(attempt?.durationMs).toBeLessThan(10_000)
    expect(attempt?.retry).toBe(0)
  }
})

it('tells the first byte of a slow stream from its end', async () => {
  const vendor = createServer(async (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    await sleep(80)
    response.write(`data: {"id":"c","model":"gpt-4-0613","choices":[{"delta":{"content":"Hi"}}]}\n\n`)
    await sleep(120)
    response.end('data: [DONE]\n\n')
  })
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve))
  const baseUrl = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}/v1`
  world = await startWorld({ config: { providers: { openai: { baseUrl, keyVariable: 'VENDOR_KEY' } } } })
  expect(await ask({ stream: true })).toBe(200)
  const [{ attempt } = {}] = await ends()
  const { firstByteMs, durationMs } = attempt ?? { firstByteMs: null, durationMs: 0 }
  expect(firstByteMs).toBeGreaterThanOrEqual(79)
  expect(durationMs - (firstByteMs ?? 0)).toBeGreaterThanOrEqual(110)
  await new Promise((resolve) => vendor.close(resolve))
})

it('writes status and attempt of a refusal, and which try of its client it was', async () => {
  world = await startWorld({ sandbox: { latencyMs: 60 } })
  const retry = 'x-stainless-retry-count'
  expect(await ask({ model: 'no-such-model' }, { [retry]: '2' })).toBe(404)
  expect(await ask({ model: 'no-such-model' }, { [retry]: '999999' })).toBe(404)
  expect(await ask({ model: 'no-such-model' }, { [retry]: '-1, none' })).toBe(404)
  const written = await ends()
  expect(written.map(({ status, attempt }) => [status, attempt?.retry, attempt?.firstByteMs])).toEqual([
    [404, 2, null],
    [404, 1_000, null],
    [404, 0, null],
  ])
  for (const { attempt } of written) expect(attempt?.durationMs).toBeGreaterThanOrEqual(59)
})

it('writes of a vendor that cannot be reached how long that took, and no status', async () => {
  const closed = createServer()
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
  const baseUrl = `http://127.0.0.1:${(closed.address() as AddressInfo).port}/v1`
  await new Promise((resolve) => closed.close(resolve))
  world = await startWorld({ config: { providers: { openai: { baseUrl, keyVariable: 'VENDOR_KEY' } } } })
  expect(await ask({}, { 'x-stainless-retry-count': '1' })).toBe(502)
  expect(await ends()).toEqual([
    {
      kind: 'released',
      status: null,
      attempt: { durationMs: expect.any(Number), firstByteMs: null, retry: 1 },
    },
  ])
})
