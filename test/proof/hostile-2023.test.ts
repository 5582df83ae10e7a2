import type OpenAI from 'openai'
import { APIError, toFile } from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { ledgerFile } from '../../src/gateway/data-folder.ts'
import { openSqlite } from '../../src/ledger/databases/sqlite.ts'
import { ledgerStore, verify } from '../../src/ledger/ledger.ts'
import { formatPicos } from '../../src/money/money.ts'
import {
  conversation,
  get,
  post,
  remove,
  runOn,
  say,
  settled,
  upload,
  weather,
} from '../../src/sandbox/assistants.fixture.ts'
import type { Run, Tool } from '../../src/sandbox/objects.ts'
import { manualClock, parseInstant } from '../../src/time.ts'
import { transparentPng } from '../support/pictures.ts'
import { silentWav } from '../support/sounds.ts'
import { startWorld, type TestWorld } from '../support/world.ts'
import { costOf, readEntries } from './entries.ts'

/** What is wrong, gone, foreign or a lie, on the wires of 2023: each is answered, and the ledger keeps to the books. */

let world: TestWorld
afterEach(async () => {
  await world.close()
})

const hour = 3_600_000
const limits = [
  {
    name: 'all',
    measure: 'cost',
    cap: '100',
    window: { calendar: 'month' },
    unpriced: { ceiling: { perCall: '1' } },
  },
]
const code: Tool = { type: 'code_interpreter' }
const retrieval: Tool = { type: 'retrieval' }

const refusalOf = (asked: Promise<unknown>): Promise<APIError | null> =>
  asked.then(
    () => null,
    (error: unknown) => {
      if (error instanceof APIError) return error
      throw error
    },
  )

/** What the ledger's entries come to, what the limit counts, and what the vendor booked. */
const threeSides = () => {
  const ended = new Map<string, bigint>()
  for (const entry of readEntries(world.folder)) {
    if (!('charges' in entry) || entry.kind === 'imported') continue
    const id = entry.kind === 'accrued' ? `${entry.accrualId} ${entry.from}` : entry.callId
    ended.set(id, costOf(entry))
  }
  const ledger = [...ended.values()].reduce((sum, cost) => sum + cost, 0n)
  const [limit] = world.gateway.limits()
  expect(limit).toMatchObject({ held: 0n, unresolved: 0n })
  return {
    ledger: formatPicos(ledger),
    limit: formatPicos(limit?.settled ?? 0n),
    vendor: world.sandbox.total().amount,
  }
}

const expectAgreement = async (): Promise<string> => {
  const { ledger, limit, vendor } = threeSides()
  expect({ ledger, limit }).toEqual({ ledger: vendor, limit: vendor })
  const reader = await openSqlite({ file: ledgerFile(world.folder), stores: [ledgerStore], readOnly: true })
  expect((await verify(reader)).differences).toEqual([])
  await reader.close()
  return vendor
}

describe('an id', () => {
  /** Every route of the wire that names an object, with what is put where. */
  const routes = (ids: { assistant: string; thread: string; run: string; file: string; message: string }) => {
    const { assistant, thread, run, file, message } = ids
    return [
      ['GET', `/assistants/${assistant}`],
      ['POST', `/assistants/${assistant}`],
      ['DELETE', `/assistants/${assistant}`],
      ['GET', `/assistants/${assistant}/files`],
      ['GET', `/threads/${thread}`],
      ['POST', `/threads/${thread}`],
      ['DELETE', `/threads/${thread}`],
      ['GET', `/threads/${thread}/messages`],
      ['GET', `/threads/${thread}/messages/${message}`],
      ['GET', `/threads/${thread}/runs`],
      ['GET', `/threads/${thread}/runs/${run}`],
      ['GET', `/threads/${thread}/runs/${run}/steps`],
      ['POST', `/threads/${thread}/runs/${run}/cancel`],
      ['GET', `/files/${file}`],
      ['GET', `/files/${file}/content`],
      ['DELETE', `/files/${file}`],
    ] as const
  }

  const asked = (client: OpenAI, [method, path]: readonly ['GET' | 'POST' | 'DELETE', string]) => {
    if (method === 'GET') return get(client, path)
    return method === 'POST' ? post(client, path) : remove(client, path)
  }

  const made = async (client: OpenAI) => {
    const file = await upload(client, 'facts')
    const at = await conversation(client, { tools: [retrieval], file_ids: [file] })
    const message = (await say(client, at.thread, 'Hello [answer]')).id
    return { ...at, file, message, run: (await runOn(client, at)).id }
  }

  it('that does not exist is not found, whatever is asked of it, and costs nothing', async () => {
    world = await startWorld({ config: { limits } })
    const client = await world.client('search')
    const never = { assistant: 'asst_x', thread: 'thread_x', run: 'run_x', file: 'file-x', message: 'msg_x' }
    for (const route of routes(never)) {
      const refusal = await refusalOf(asked(client, route))
      expect([route, refusal?.status, typeof refusal?.error]).toEqual([route, 404, 'object'])
    }
    const { thread } = await conversation(client)
    const begun = await refusalOf(post(client, `/threads/${thread}/runs`, { assistant_id: 'asst_x' }))
    expect(begun?.status).toBe(404)
    expect(await expectAgreement()).toBe('0')
  })

  it('that belongs to another key is not found either, and stays as it was', async () => {
    world = await startWorld({ config: { limits } })
    const [mine, theirs] = [await world.client('search'), await world.client('support')]
    const own = await made(mine)
    const before = await expectAgreement()
    for (const route of routes(own)) {
      expect([route, (await refusalOf(asked(theirs, route)))?.status]).toEqual([route, 404])
    }
    const there = await conversation(theirs)
    const foreign = [
      post(theirs, `/threads/${there.thread}/runs`, { assistant_id: own.assistant }),
      post(theirs, `/threads/${own.thread}/runs`, { assistant_id: there.assistant }),
      say(theirs, own.thread, 'Hello'),
    ]
    for (const each of foreign) expect((await refusalOf(each))?.status).toBe(404)
    expect(await expectAgreement()).toBe(before)
    expect((await runOn(mine, own)).status).toBe('completed')
  })

  it('that was deleted is not found, and what it had cost stays', async () => {
    world = await startWorld({ config: { limits }, at: '2024-03-05T00:00:00Z' })
    const client = await world.client('search')
    const own = await made(client)
    world.clock.advance(hour)
    await remove(client, `/files/${own.file}`)
    await remove(client, `/threads/${own.thread}`)
    await remove(client, `/assistants/${own.assistant}`)
    for (const route of routes(own)) {
      expect([route, (await refusalOf(asked(client, route)))?.status]).toEqual([route, 404])
    }
    world.clock.advance(48 * hour)
    await world.gateway.sweep()
    expect(Number(await expectAgreement())).toBeGreaterThan(0)
    expect(await world.gateway.accruals.open(world.clock.now())).toEqual({ sessions: 0, stays: 0 })
  })
})

describe('a run', () => {
  it('takes only the outputs it asked for, once, and none when it is over', async () => {
    world = await startWorld({ config: { limits } })
    const client = await world.client('support')
    const at = await conversation(client, { tools: [weather] })
    await say(client, at.thread, '[call weather]')
    const waiting = await runOn(client, at)
    const outputs = (ids: readonly string[]) => ({
      tool_outputs: ids.map((tool_call_id) => ({ tool_call_id, output: 'sunny' })),
    })
    const submit = (ids: readonly string[]) =>
      post<Run>(client, `/threads/${at.thread}/runs/${waiting.id}/submit_tool_outputs`, outputs(ids))
    const ids = (waiting.required_action?.submit_tool_outputs.tool_calls ?? []).map(({ id }) => id)
    for (const wrong of [[], ['call_x'], [...ids, 'call_x']]) {
      expect((await refusalOf(submit(wrong)))?.status).toBe(400)
    }
    await submit(ids)
    expect((await settled(client, waiting)).status).toBe('completed')
    expect((await refusalOf(submit(ids)))?.status).toBe(400)
    expect((await refusalOf(post(client, `/threads/${at.thread}/runs/${waiting.id}/cancel`)))?.status).toBe(
      400,
    )
    await expectAgreement()
  })

  it('that is cancelled, fails or is left is in the ledger as in the books, its session too', async () => {
    world = await startWorld({ config: { limits }, at: '2024-01-05T00:00:00Z' })
    const client = await world.client('support')
    const at = await conversation(client, { tools: [code, weather] })
    await say(client, at.thread, '[code] [fail]')
    expect((await runOn(client, at)).status).toBe('failed')
    await say(client, at.thread, '[code] [call weather]')
    const cancelled = await runOn(client, at)
    await post(client, `/threads/${at.thread}/runs/${cancelled.id}/cancel`)
    expect((await settled(client, cancelled)).status).toBe('cancelled')
    await say(client, at.thread, '[call weather]')
    const left = await runOn(client, at)
    world.clock.advance(11 * 60_000)
    expect((await settled(client, left)).status).toBe('expired')
    expect(Number(await expectAgreement())).toBeGreaterThan(0.03)
  })
})

describe('a clock that jumps', () => {
  it('40 days forward and back again leaves the ledger at what was kept, posted once', async () => {
    const steady = manualClock(parseInstant('2024-03-02T00:00:00Z'))
    let jumped = 0
    const clock = { ...steady, now: () => steady.now() + jumped }
    world = await startWorld({ sandbox: { clock }, gateway: { clock } })
    const client = await world.client('search')
    const file = await upload(client, 'x'.repeat(700_001))
    const place = await conversation(client, { tools: [code, retrieval], file_ids: [file] })
    const accrued = () => readEntries(world.folder).filter(({ kind }) => kind === 'accrued')
    const stored = () => world.sandbox.books().find(({ meter }) => meter === 'retrieval_gb_day')?.amount
    const posted = () =>
      formatPicos(accrued().reduce((sum, entry) => ('charges' in entry ? sum + costOf(entry) : sum), 0n))

    jumped = 40 * 24 * hour
    await world.gateway.sweep()
    // 48 hours by the hour, the 38 days before them by the day.
    expect(accrued().length).toBe(48 + 38)
    const much = posted()
    expect(much).toBe(stored())

    jumped = 0
    await world.gateway.sweep()
    expect([accrued().length, posted()]).toEqual([86, much])
    await say(client, place.thread, '[answer]')
    expect((await runOn(client, place)).status).toBe('completed')

    jumped = 40 * 24 * hour
    clock.advance(2 * hour)
    await world.gateway.sweep()
    expect(accrued().length).toBe(88)
    expect(posted()).toBe(stored())
    expect(world.faults).toEqual([])
  })
})

describe('a file that lies', () => {
  const transcribe = async (client: OpenAI, bytes: Uint8Array<ArrayBuffer>, name: string) =>
    refusalOf(
      client.audio.transcriptions.create({
        model: 'whisper-1',
        file: await toFile(bytes, name, { type: 'audio/wav' }),
      }),
    )

  it('about its sound is refused by the vendor or costs what it books, and holds nothing after', async () => {
    world = await startWorld({ config: { limits } })
    const client = await world.client('search')
    const good = silentWav(3)
    const claims = (bytes: number): Uint8Array<ArrayBuffer> => {
      const lie = new Uint8Array(good)
      new DataView(lie.buffer).setUint32(40, bytes, true)
      return lie
    }
    const noise = new Uint8Array(5_000).map((_, index) => (index * 7_919) % 251)
    const files = [
      ['no sound at all', noise],
      ['an empty file', new Uint8Array(0)],
      ['a header alone', good.slice(0, 44)],
      ['half a header', good.slice(0, 20)],
      ['a header that claims 27 hours', claims(0x2fff_ffff)],
      ['a header that claims nothing', claims(0)],
    ] as const
    for (const [what, bytes] of files) {
      const refusal = await transcribe(client, bytes, 'sound.wav')
      expect([what, refusal === null || refusal.status === 400]).toEqual([what, true])
      expect([what, threeSides().ledger]).toEqual([what, world.sandbox.total().amount])
    }
    expect(Number(await expectAgreement())).toBeGreaterThan(0)
  })

  it('about the size of its picture costs what the vendor books, and never more than was quoted', async () => {
    world = await startWorld({ config: { limits } })
    const client = await world.client('search')
    const claims = (width: number, height: number): Buffer => {
      const lie = Buffer.from(transparentPng(64))
      lie.writeUInt32BE(width, 16)
      lie.writeUInt32BE(height, 20)
      return lie
    }
    for (const picture of [claims(1, 1), claims(4_096, 4_096), claims(0, 0), claims(0xffff_ffff, 1)]) {
      const url = `data:image/png;base64,${picture.toString('base64')}`
      const content = [{ type: 'image_url' as const, image_url: { url, detail: 'high' as const } }]
      const asked = client.chat.completions
        .create({ model: 'gpt-4-vision-preview', max_tokens: 20, messages: [{ role: 'user', content }] })
        .withResponse()
      const refusal = await refusalOf(asked)
      if (refusal !== null) expect(refusal.status).toBe(400)
      else {
        const { headers } = (await asked).response
        expect(Number(headers.get('octroi-cost-usd'))).toBeLessThanOrEqual(
          Number(headers.get('octroi-quote-usd')),
        )
      }
    }
    expect(Number(await expectAgreement())).toBeGreaterThan(0)
  })
})
