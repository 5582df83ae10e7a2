import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWorld, type TestWorld } from '../../../test/support/world.ts'
import { commandRunner } from '../run-command.fixture.ts'
import { command as receipt } from './report-receipt.ts'

const run = commandRunner(receipt)

type Answer = { lines: { id: string; at: string }[]; totals: { amount: string }[]; error?: { code: string } }

/** A call of another system; its id does not tell its day. */
const own = 'job-2023-11-15'
const tellsItsDay = /^call_[0-9a-f]{32}$/

let world: TestWorld
/** Each call, and what its receipt was while the ledger itself had it. */
let before: ReadonlyMap<string, Answer>

const asked = async (path: string, body?: object) => {
  const reply = await fetch(`${world.gateway.controlUrl}/octroi/v1/${path}`, {
    ...(body && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  })
  return { status: reply.status, said: (await reply.json()) as Answer }
}

const overHttp = async (id: string): Promise<Answer> =>
  (await asked(`reports/receipt?${new URLSearchParams({ call: id })}`)).said

const onCommandLine = async (id: string) =>
  run(['report', 'receipt', id, '--json', '--ledger', join(world.folder, 'ledger.sqlite')])

const talk = async (content: string): Promise<void> => {
  const client = await world.client('search')
  await client.chat.completions.create({ model: 'gpt-4-1106-preview', messages: [{ role: 'user', content }] })
}

const spentElsewhere = async (): Promise<void> => {
  const none = { name: null, organization: null, project: null, environment: null }
  const { secret } = await world.gateway.registry.createKey({ ...none, team: 'jobs' }, world.clock.now())
  const reply = await fetch(`${world.gateway.url}/octroi/v1/usage`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
    body: JSON.stringify({
      ...{ id: own, endpoint: 'chat-completions', model: 'gpt-4-1106-preview' },
      usage: { input_text_tokens: 1_000, output_text_tokens: 10 },
    }),
  })
  expect([reply.status, await reply.text()]).toEqual([201, expect.any(String)])
}

beforeAll(async () => {
  world = await startWorld({ gateway: { controlPort: 0 } })
  await talk('Hello on Wednesday')
  await spentElsewhere()
  world.clock.advance(86_400_000)
  await talk('Hello on Thursday')
  world.clock.advance(86_400_000)
  await talk('Hello on Friday')
  const { said } = await asked('reports/receipt')
  const ids = [...new Set(said.lines.map(({ id }) => id))]
  before = new Map(await Promise.all(ids.map(async (id) => [id, await overHttp(id)] as const)))
  world.clock.advance(5 * 86_400_000)
  await asked('sealed-days/seal', { afterHours: 48 })
  const pruned = await asked('sealed-days/prune', { keepDays: 1 })
  expect(pruned.said).toMatchObject({
    pruned: [
      { day: '2023-11-15', calls: 2 },
      { day: '2023-11-16', calls: 1 },
    ],
  })
}, 60_000)
afterAll(() => world.close())

describe('the receipt of a call', () => {
  it('is the same when only the sealed file of its day has it, over HTTP and on the command line', async () => {
    expect([...before.keys()].map((id) => tellsItsDay.test(id))).toEqual([true, false, true, true])
    for (const [id, was] of before) {
      expect(was.lines.length).toBeGreaterThan(0)
      expect(await overHttp(id)).toEqual(was)
      const { exit, out } = await onCommandLine(id)
      expect([exit, JSON.parse(out)]).toEqual([0, was])
    }
  }, 60_000)

  it('says where neither ledger nor files have such a call', async () => {
    for (const id of ['job-1', "it's", `call_${'0'.repeat(32)}`]) {
      const { status, said } = await asked(`reports/receipt?${new URLSearchParams({ call: id })}`)
      expect([status, said.error?.code]).toEqual([404, 'unknown_object'])
    }
    expect((await onCommandLine('job-1')).err).toContain('The ledger has no call "job-1".')
  }, 60_000)

  it('is not said to be missing while a file is not there that may have it', async () => {
    await rm(join(world.folder, 'sealed', '2023-11-15.parquet'))
    const { status, said } = await asked('reports/receipt?call=job-1')
    expect([status, said.error?.code]).toEqual([503, 'ledger_unavailable'])
    const thursday = [...before].find(([, { lines }]) => lines[0]?.at.startsWith('2023-11-16'))
    expect(await overHttp(thursday?.[0] ?? '')).toEqual(thursday?.[1])
  }, 60_000)
})
