import type OpenAI from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { readAll } from '../../test/support/ledger.ts'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { readAccrued, readCalls } from '../ledger/reading.ts'
import { formatPicos } from '../money/money.ts'
import {
  conversation,
  post,
  remove,
  runOn,
  say,
  settled,
  upload,
  weather,
} from '../sandbox/assistants.fixture.ts'
import type { Run, Tool } from '../sandbox/objects.ts'
import { textOfTokens } from '../sandbox/replies.ts'

let world: TestWorld
afterEach(async () => {
  await world.close()
})

const submit = (client: OpenAI, run: Run, output: string): Promise<Run> =>
  post<Run>(client, `/threads/${run.thread_id}/runs/${run.id}/submit_tool_outputs`, {
    tool_outputs: (run.required_action?.submit_tool_outputs.tool_calls ?? []).map(({ id }) => ({
      tool_call_id: id,
      output,
    })),
  })

/** The tokens the ledger has, run by run, and those the vendor billed. */
const ledgerTokens = () =>
  world.till.map(({ settlement }) =>
    Object.fromEntries(settlement.charges.map(({ meter, quantity }) => [meter, quantity])),
  )
const billedTokens = () =>
  world.sandbox
    .calls()
    .filter(({ model }) => model !== null)
    .map(({ usage }) => usage)

const always = { from: 0, to: Number.MAX_SAFE_INTEGER }
const accruals = () => readAll(world.folder, (database) => readAccrued(database, always))
const ended = () => readAll(world.folder, (database) => readCalls(database, always))

/** Between which numbers the truth of a run is, as its note says. */
const intervalOf = (note: string | null, meter: string): readonly number[] =>
  new RegExp(`${meter} (\\d+)\\.\\.(\\d+)`)
    .exec(note ?? '')
    ?.slice(1)
    .map(Number) ?? []

const code: Tool = { type: 'code_interpreter' }
const retrieval: Tool = { type: 'retrieval' }

describe('a run with tools', () => {
  it('is counted to the token: functions, their outputs, and a thread that grows', async () => {
    world = await startWorld({ sandbox: { outputTokens: 30 } })
    const client = await world.client('support')
    const instructions = textOfTokens(300, 'instructions')
    const at = await conversation(client, { tools: [weather], instructions })
    for (const city of ['Paris', 'Rome', 'Paris']) {
      await say(client, at.thread, `And in ${city}? [call weather {"city":"${city}"}] [call weather]`)
      let run = await runOn(client, at)
      while (run.status === 'requires_action') {
        run = await settled(client, await submit(client, run, `Sunny in ${city}, and 21 degrees.`))
      }
      expect(run.status).toBe('completed')
    }
    expect(ledgerTokens()).toEqual(billedTokens())
    expect(ledgerTokens()).toHaveLength(3)
    const [first] = world.till
    expect(first?.settlement.basis).toBe('estimated')
    expect(first?.settlement.note).toContain('openai-assistants-v1/whole-thread; tools: openai-chat/gpt-4')
    expect(world.faults).toEqual([])
  })

  it('is counted to the token: a code interpreter, whose session is billed once an hour and thread', async () => {
    world = await startWorld({ at: '2024-03-15T12:00:00Z', sandbox: { outputTokens: 30 } })
    const client = await world.client('support')
    const at = await conversation(client, { tools: [code], instructions: textOfTokens(50, 1) })
    const other = { ...at, thread: (await client.beta.threads.create({})).id }
    for (const place of [at, at, other]) {
      await say(client, place.thread, 'Add them up [code] [code]')
      expect((await runOn(client, place)).status).toBe('completed')
    }
    world.clock.advance(3_600_000)
    await say(client, at.thread, 'Once more [code]')
    await runOn(client, at)
    expect(ledgerTokens()).toEqual(billedTokens())
    const sessions = world.sandbox.books().find(({ meter }) => meter === 'code_interpreter_session')
    expect(sessions).toMatchObject({ quantity: 3, amount: '0.09' })
    const accrued = await accruals()
    expect(
      accrued.map(({ holder, conversation, owner, charges }) => [
        holder,
        conversation,
        owner.team,
        owner.tags.assistant,
        formatPicos(charges[0]?.amount ?? 0n),
      ]),
    ).toEqual(
      [at.thread, other.thread, at.thread].map((thread) => [thread, thread, 'support', at.assistant, '0.03']),
    )
  })

  it('agrees with the books over 20 turns of one thread, whatever tools chance picks', async () => {
    world = await startWorld()
    const client = await world.client('support')
    const at = await conversation(client, { tools: [code, weather], instructions: textOfTokens(60, 1) })
    for (let turn = 1; turn <= 20; turn += 1) {
      await say(client, at.thread, textOfTokens(10 + turn, turn))
      let run = await runOn(client, at)
      while (run.status === 'requires_action') {
        run = await settled(client, await submit(client, run, textOfTokens(turn, `output ${turn}`)))
      }
    }
    expect(ledgerTokens()).toHaveLength(20)
    expect(ledgerTokens()).toEqual(billedTokens())
    const rounds = world.till.filter(({ settlement }) => Number(settlement.resent?.tokens) > 0)
    expect(rounds.length).toBeGreaterThanOrEqual(19)
  })

  it('leaves out of a full window what the vendor leaves out, beside calls and outputs as well', async () => {
    world = await startWorld({ sandbox: { outputTokens: 30 } })
    const client = await world.client('support')
    const at = await conversation(client, { tools: [weather], model: 'gpt-4' })
    for (let turn = 1; turn <= 5; turn += 1) {
      await say(client, at.thread, `${textOfTokens(1_900, turn)} [call weather]`)
      const run = await runOn(client, at)
      await settled(client, await submit(client, run, textOfTokens(1_500, `output ${turn}`)))
    }
    expect(ledgerTokens()).toEqual(billedTokens())
    // Twice 5 x 1,900 would be 19,000: the window of 8,192 holds at most half of it.
    expect(Number(ledgerTokens()[4]?.input_text_tokens)).toBeLessThan(2 * 8_192)
    expect(Number(ledgerTokens()[4]?.input_text_tokens)).toBeGreaterThan(8_192)
  })

  it('holds what retrieval adds within its interval, since no step shows it', async () => {
    world = await startWorld({ sandbox: { outputTokens: 30 } })
    const client = await world.client('support')
    const file = await upload(client, textOfTokens(2_000, 'facts'))
    const at = await conversation(client, { tools: [retrieval], file_ids: [file] })
    await say(client, at.thread, 'What do the facts say? [retrieve]')
    await runOn(client, at)
    const [{ input_text_tokens: billed = 0 } = {}] = billedTokens()
    const note = world.till[0]?.settlement.note ?? null
    const [low = 0, high = 0] = intervalOf(note, 'input_text_tokens')
    expect(billed).toBeGreaterThan(2_000)
    expect(low).toBeLessThanOrEqual(billed)
    expect(high).toBeGreaterThanOrEqual(billed)
    expect(note).toContain('retrieval: short files whole')
    // Four bytes a token is a guess, and a fair one.
    const counted = Number(ledgerTokens()[0]?.input_text_tokens)
    expect(Math.abs(counted - billed) / billed).toBeLessThan(0.5)
  })

  it('holds within its interval also where the vendor bills tokens nobody can see', async () => {
    world = await startWorld({ sandbox: { hiddenTokens: true } })
    const client = await world.client('support')
    const at = await conversation(client, { tools: [code, weather], instructions: textOfTokens(80, 1) })
    for (const text of ['[code]', '[call weather]', 'nothing [answer]', '[code] [code] [call weather]']) {
      await say(client, at.thread, text)
      let run = await runOn(client, at)
      while (run.status === 'requires_action') run = await settled(client, await submit(client, run, 'ok'))
    }
    expect(billedTokens()).toHaveLength(4)
    for (const [index, usage] of billedTokens().entries()) {
      for (const meter of ['input_text_tokens', 'output_text_tokens']) {
        const [low = 0, high = 0] = intervalOf(world.till[index]?.settlement.note ?? null, meter)
        expect(usage[meter] ?? 0).toBeGreaterThanOrEqual(low)
        expect(usage[meter] ?? 0).toBeLessThanOrEqual(high)
      }
    }
  })

  it('has no most, so a limit refuses it unless the operator set a ceiling', async () => {
    const limit = { name: 'all', measure: 'cost', cap: '10', window: { calendar: 'month', timeZone: 'UTC' } }
    world = await startWorld({ config: { limits: [limit] } })
    const client = await world.client('support')
    const at = await conversation(client, { tools: [code] })
    await say(client, at.thread, '[code]')
    const refused = await post(client, `/threads/${at.thread}/runs`, { assistant_id: at.assistant }).catch(
      (error: unknown) => error,
    )
    expect(String(refused)).toContain('calls the model as often as it needs')
    const plain = await runOn(client, at, { tools: [] })
    expect(plain.status).toBe('completed')
    await world.close()
    world = await startWorld({ config: { limits: [{ ...limit, unpriced: { ceiling: { perCall: '2' } } }] } })
    const next = await world.client('support')
    const there = await conversation(next, { tools: [code] })
    await say(next, there.thread, '[code]')
    expect((await runOn(next, there)).status).toBe('completed')
    expect(world.gateway.limits()[0]).toMatchObject({ held: 0n })
  })

  it('tells its quote from the thread as it was counted, not from its bytes, from the second turn on', async () => {
    world = await startWorld({ sandbox: { outputTokens: 200 } })
    const client = await world.client('support')
    const at = await conversation(client, { instructions: textOfTokens(1_000, 1) })
    const quotes: number[] = []
    for (let turn = 0; turn < 3; turn += 1) {
      await say(client, at.thread, textOfTokens(50, turn))
      const { data, response } = await client.beta.threads.runs
        .create(at.thread, { assistant_id: at.assistant })
        .withResponse()
      quotes.push(Number(response.headers.get('octroi-quote-usd')))
      await settled(client, { id: data.id, thread_id: at.thread })
    }
    const bodyBytes = JSON.stringify({ assistant_id: at.assistant }).length
    const room = (2_048 + bodyBytes) * 0.00001 + 4_096 * 0.00003
    const questionBytes = (turn: number) => textOfTokens(50, turn).length
    expect(quotes[0]).toBeCloseTo((1_000 + questionBytes(0)) * 0.00001 + room, 10)
    expect(quotes[1]).toBeCloseTo((1_250 + questionBytes(1)) * 0.00001 + room, 10)
    expect(quotes[2]).toBeCloseTo((1_500 + questionBytes(2)) * 0.00001 + room, 10)
    for (const [turn, { cost }] of world.till.entries()) {
      expect(Number(formatPicos(cost))).toBeLessThanOrEqual(quotes[turn] ?? 0)
    }
  })
})

describe('a run that brings its thread', () => {
  it('belongs to the conversation of that thread, as its later runs do', async () => {
    world = await startWorld({ sandbox: { outputTokens: 30 } })
    const client = await world.client('support')
    const { assistant } = await conversation(client, {})
    const first = await post<Run>(client, '/threads/runs', {
      assistant_id: assistant,
      thread: { messages: [{ role: 'user', content: 'hello' }] },
      metadata: { user: 'ada' },
    })
    await settled(client, first)
    await say(client, first.thread_id, 'and again')
    await runOn(client, { assistant, thread: first.thread_id }, { metadata: { user: 'ada' } })
    const rows = await ended()
    expect(rows.map(({ call }) => call.conversation)).toEqual([first.thread_id, first.thread_id])
    expect(rows.map(({ call }) => call.tags)).toEqual([{ assistant }, { assistant }])
    const users = new Set(rows.map(({ call }) => call.endUser))
    expect([...users]).toEqual([await world.gateway.registry.pseudonym('ada')])
    expect(ledgerTokens()).toEqual(billedTokens())
  })
})

describe('a run that does not end well', () => {
  it('is billed for the calls of the model it had made', async () => {
    world = await startWorld({ sandbox: { outputTokens: 30 } })
    const client = await world.client('support')
    const at = await conversation(client, { tools: [code, weather], instructions: textOfTokens(40, 1) })
    await say(client, at.thread, '[code] [fail]')
    expect((await runOn(client, at)).status).toBe('failed')
    await say(client, at.thread, '[call weather]')
    const waiting = await runOn(client, at)
    expect(waiting.status).toBe('requires_action')
    await post(client, `/threads/${at.thread}/runs/${waiting.id}/cancel`)
    expect((await settled(client, waiting)).status).toBe('cancelled')
    await say(client, at.thread, '[fail]')
    expect((await runOn(client, at)).status).toBe('failed')
    const [failed, cancelled, nothing] = ledgerTokens()
    expect([failed, cancelled]).toEqual(billedTokens())
    expect(nothing).toEqual({})
    expect(world.till.map(({ settlement }) => settlement.note?.split(';')[0])).toEqual([
      'run failed',
      'run cancelled',
      'run failed',
    ])
  })

  it('expires when its outputs are never submitted, and is billed for what it did', async () => {
    world = await startWorld({ sandbox: { outputTokens: 30 } })
    const client = await world.client('support')
    const at = await conversation(client, { tools: [weather] })
    await say(client, at.thread, '[call weather]')
    const waiting = await runOn(client, at)
    world.clock.advance(601_000)
    expect((await settled(client, waiting)).status).toBe('expired')
    expect(ledgerTokens()).toEqual(billedTokens())
    expect(ledgerTokens()[0]?.output_text_tokens).toBeGreaterThan(0)
  })

  it('is settled before its thread is deleted', async () => {
    world = await startWorld({ sandbox: { outputTokens: 30 } })
    const client = await world.client('support')
    const at = await conversation(client, {})
    await say(client, at.thread, 'hello')
    await post(client, `/threads/${at.thread}/runs`, { assistant_id: at.assistant })
    await expect.poll(() => world.sandbox.calls().length).toBe(1)
    await remove(client, `/threads/${at.thread}`)
    expect(ledgerTokens()).toEqual(billedTokens())
  })
})
