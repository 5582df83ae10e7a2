import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { holdWhole } from './hold-whole.ts'

const bounds = { heldBytesMax: 10, drainMsMax: 1_000 }
const replyOf = (chunks: readonly string[]) => ({
  status: 200,
  headers: {},
  heard: () => {},
  attempt: () => ({ durationMs: 0, firstByteMs: null, retry: 0 }),
  body: Readable.from(chunks.map((chunk) => Buffer.from(chunk))),
})

it('gives an object whole', async () => {
  expect((await holdWhole(replyOf(['{"id"', ':1}']), null, bounds)).toString()).toBe('{"id":1}')
})

it('refuses one that is too large, and lets go of its connection', async () => {
  const reply = replyOf(['{"id": "run', '_1"}', 'more'])
  await expect(holdWhole(reply, null, bounds)).rejects.toMatchObject({ code: 'upstream_broken' })
  expect(reply.body.destroyed).toBe(true)
})
