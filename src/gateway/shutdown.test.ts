import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { openLedger, verify } from '../ledger/ledger.ts'
import { formatPicos } from '../money/money.ts'
import { openDataFolder } from './data-folder.ts'

let world: TestWorld
let closed = false
afterEach(async () => {
  if (!closed) await world.gateway.close()
  await world.sandbox.close()
  closed = false
})

const hello = { model: 'gpt-4-1106-preview', messages: [{ role: 'user' as const, content: 'Hello there' }] }

const close = async (waitMs: number): Promise<void> => {
  closed = true
  await world.gateway.close(waitMs)
}

/** How the ledger that was left behind ends: whether it agrees, and what is still open in it. */
const left = async () => {
  const data = await openDataFolder(world.folder)
  const ledger = openLedger(data.database)
  const [expired, verified] = [await ledger.expire(Number.MAX_SAFE_INTEGER), await verify(data.database)]
  await data.database.close()
  return { open: expired.length, agrees: verified.agrees }
}

describe('a gateway that is told to end', () => {
  it('takes no new calls, says it is not ready, and waits for the one in flight', async () => {
    world = await startWorld({ gateway: { controlPort: 0 } })
    world.sandbox.faults.add({ kind: 'slow', delayMs: 500 })
    const client = await world.client('search')
    const call = client.chat.completions.create(hello)
    const ready = async () => (await fetch(`${world.gateway.controlUrl}/readyz`)).status
    expect(await ready()).toBe(200)
    await expect
      .poll(async () => (await fetch(`${world.gateway.controlUrl}/metrics`)).text())
      .toContain('octroi_calls_open 1')
    const ending = close(10_000)
    expect(await ready()).toBe(503)
    await expect(fetch(`${world.gateway.url}/v1/models`)).rejects.toThrow()
    expect((await call).usage?.total_tokens).toBeGreaterThan(0)
    await ending
    expect(world.till).toHaveLength(1)
    expect(await left()).toEqual({ open: 0, agrees: true })
  })

  it('turns away what comes over a connection that is still open', async () => {
    world = await startWorld()
    world.sandbox.faults.add({ kind: 'slow', delayMs: 500 })
    const { port } = new URL(world.gateway.url)
    const body = JSON.stringify(hello)
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer sk-own\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`
    const socket = connect(Number(port), '127.0.0.1')
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8')
    })
    const gone = once(socket, 'close')
    socket.write(head + body)
    await expect.poll(() => world.sandbox.faults.list().length).toBe(0)
    const ending = close(10_000)
    socket.write(head + body)
    await Promise.all([ending, gone])
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 503'])
    expect(text).toContain('is being stopped')
    expect(world.till).toHaveLength(1)
  })

  it('breaks off what takes longer than it waits, and settles it', async () => {
    world = await startWorld({ sandbox: { outputTokens: 20 } })
    world.sandbox.faults.add({ kind: 'endless' })
    const client = await world.client('search')
    const stream = await client.chat.completions.create({ ...hello, stream: true })
    const read = (async () => {
      for await (const _ of stream);
    })()
    const ended = expect(read).rejects.toThrow()
    await close(300)
    await ended
    expect(world.till.map(({ settlement }) => settlement.basis)).toEqual(['estimated'])
    expect(formatPicos(world.till[0]?.cost ?? 0n)).not.toBe('0')
    expect(await left()).toEqual({ open: 0, agrees: true })
  })
})
