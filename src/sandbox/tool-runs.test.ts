import { describe, expect, it } from 'vitest'
import { manualClock } from '../time.ts'
import { loadEncoding } from '../tokens/text.ts'
import {
  conversation,
  get,
  messageOf,
  post,
  runOn,
  say,
  settled,
  stepsOf,
  upload,
  weather,
} from './assistants.fixture.ts'
import type { Run } from './objects.ts'
import { textOfTokens } from './replies.ts'
import { newStateFile, noon, openSandbox } from './sandbox.fixture.ts'

const submit = (client: Parameters<typeof post>[0], run: Run, tool_outputs: readonly object[]) =>
  post<Run>(client, `/threads/${run.thread_id}/runs/${run.id}/submit_tool_outputs`, { tool_outputs })

const idsOf = (run: Run): readonly string[] =>
  (run.required_action?.submit_tool_outputs.tool_calls ?? []).map(({ id }) => id)

describe('a run with a code interpreter', () => {
  it('shows the program and what it printed, then the message', async () => {
    const { client } = await openSandbox()
    const at = await conversation(client, { tools: [{ type: 'code_interpreter' }] })
    await say(client, at.thread, 'Add them up [code]')
    const run = await runOn(client, at)
    expect(run.status).toBe('completed')
    const [code, message] = await stepsOf(client, run)
    expect(message).toMatchObject({ type: 'message_creation', status: 'completed' })
    if (code?.step_details.type !== 'tool_calls') throw new Error('the first step called no tool')
    const [call] = code.step_details.tool_calls
    if (call?.type !== 'code_interpreter') throw new Error('the tool was no code interpreter')
    const { input, outputs } = call.code_interpreter
    const numbers = /\[(.*)\]/.exec(input)?.[1]?.split(', ').map(Number) ?? []
    expect(outputs).toEqual([{ type: 'logs', logs: `${numbers.reduce((sum, each) => sum + each, 0)}\n` }])
  })

  it('sends the program and its output again with everything else', async () => {
    const { sandbox, client } = await openSandbox({ outputTokens: 10 })
    const instructions = textOfTokens(100, 1)
    const at = await conversation(client, { tools: [{ type: 'code_interpreter' }], instructions })
    await say(client, at.thread, '[code]')
    const run = await runOn(client, at)
    const [code] = await stepsOf(client, run)
    const details = code?.step_details
    const call = details?.type === 'tool_calls' ? details.tool_calls[0] : undefined
    if (call?.type !== 'code_interpreter') throw new Error('the tool was no code interpreter')
    const { count } = await loadEncoding('cl100k_base')
    const [input, logs] = [call.code_interpreter.input, call.code_interpreter.outputs[0]?.logs ?? '']
    // Two model calls: 100 and the message of 2, and the same with the program and its log.
    const expected = 102 + 102 + count(input) + count(logs)
    const billed = sandbox.calls().find(({ model }) => model !== null)
    expect(billed?.usage).toEqual({
      input_text_tokens: expected,
      output_text_tokens: count(input) + 10,
    })
  })
})

describe('a run that calls functions', () => {
  it('waits for their outputs, goes on, and bills both model calls in one sum', async () => {
    const { sandbox, client } = await openSandbox({ outputTokens: 10 })
    const at = await conversation(client, { tools: [weather] })
    await say(client, at.thread, 'So? [call weather {"city":"Paris"}]')
    const waiting = await runOn(client, at)
    expect(waiting.status).toBe('requires_action')
    expect(waiting.required_action?.submit_tool_outputs.tool_calls).toMatchObject([
      { type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } },
    ])
    expect((await stepsOf(client, waiting))[0]).toMatchObject({ status: 'in_progress', completed_at: null })
    expect(sandbox.calls()).toEqual([])

    const [id = ''] = idsOf(waiting)
    const queued = await submit(client, waiting, [{ tool_call_id: id, output: 'sunny' }])
    expect(queued).toMatchObject({ status: 'queued', required_action: null })
    const run = await settled(client, queued)
    expect(run.status).toBe('completed')
    const [step] = await stepsOf(client, run)
    expect(step).toMatchObject({
      status: 'completed',
      step_details: { tool_calls: [{ type: 'function', function: { name: 'weather', output: 'sunny' } }] },
    })
    // The definition is 32 tokens and 9 around it, the message 11, name and arguments 1 + 5, the output 2:
    // 52 and 52 + 8 in, 6 and 10 out.
    expect(sandbox.calls().map(({ id, usage }) => [id, usage])).toEqual([
      [run.id, { input_text_tokens: 112, output_text_tokens: 16 }],
    ])
  })

  it('makes calls that stand side by side at once, and others one after another', async () => {
    const { client } = await openSandbox()
    const at = await conversation(client, { tools: [weather] })
    await say(client, at.thread, '[call weather] [call weather] and then [call weather]')
    const waiting = await runOn(client, at)
    expect(idsOf(waiting).length).toBe(2)
    const outputs = idsOf(waiting).map((tool_call_id) => ({ tool_call_id, output: 'x' }))
    const again = await settled(client, await submit(client, waiting, outputs))
    expect(again.status).toBe('requires_action')
    expect(idsOf(again).length).toBe(1)
    expect(idsOf(waiting)).not.toContain(idsOf(again)[0])
    const [tool_call_id] = idsOf(again)
    const done = await settled(client, await submit(client, again, [{ tool_call_id, output: 'y' }]))
    expect(done.status).toBe('completed')
    expect((await stepsOf(client, done)).map(({ type }) => type)).toEqual([
      'tool_calls',
      'tool_calls',
      'message_creation',
    ])
  })

  it('writes arguments that fit the schema where the message gives none', async () => {
    const { client } = await openSandbox()
    const at = await conversation(client, { tools: [weather] })
    await say(client, at.thread, '[call weather]')
    const run = await runOn(client, at)
    const [call] = run.required_action?.submit_tool_outputs.tool_calls ?? []
    expect(['{"city":"Paris"}', '{"city":"Rome"}']).toContain(call?.function.arguments)
  })

  it('refuses outputs that are missing, unknown or too many, in the words of the vendor', async () => {
    const { client } = await openSandbox()
    const at = await conversation(client, { tools: [weather] })
    await say(client, at.thread, '[call weather][call weather]')
    const run = await runOn(client, at)
    const [a = '', b = ''] = idsOf(run)
    const of = (...ids: readonly string[]) =>
      messageOf(
        submit(
          client,
          run,
          ids.map((tool_call_id) => ({ tool_call_id, output: '' })),
        ),
      )
    expect(await of(a)).toBe(`400 Expected tool outputs for call_ids ['${a}', '${b}'], got ['${a}']`)
    expect(await of(a, 'call_x')).toBe(
      `400 Expected tool outputs for call_ids ['${a}', '${b}'], got ['${a}', 'call_x']`,
    )
    expect(await of(a, a)).toContain('Expected tool outputs')
    expect(await messageOf(submit(client, run, [{ output: 'x' }]))).toBe(
      '400 1 validation error for Request\nbody -> tool_outputs -> 0 -> tool_call_id\n  field required ' +
        '(type=value_error.missing)',
    )
    expect((await settled(client, run)).status).toBe('requires_action')
    expect(await of(b, a)).toBe('no refusal')
  })

  it('expires at its time when nobody answers, and bills the model call that it made', async () => {
    const clock = manualClock(noon)
    const { sandbox, client } = await openSandbox({ clock })
    const at = await conversation(client, { tools: [weather] })
    await say(client, at.thread, '[call weather]')
    const run = await runOn(client, at)
    expect(run.expires_at).toBe(noon / 1000 + 600)
    clock.advance(3_600_000)
    // Nobody has looked at the run: the books find that it is over, and when.
    expect(sandbox.calls()).toMatchObject([{ id: run.id, at: noon + 600_000 }])
    const over = await settled(client, run)
    expect(over).toMatchObject({ status: 'expired', required_action: null })
    expect((await stepsOf(client, run))[0]).toMatchObject({
      status: 'expired',
      expired_at: noon / 1000 + 3600,
    })
    const late = submit(client, run, [{ tool_call_id: idsOf(run)[0], output: 'x' }])
    expect(await messageOf(late)).toBe('400 Runs in status "expired" do not accept tool outputs.')
    expect(sandbox.calls().length).toBe(1)
  })

  it('can be cancelled while it waits, and bills the model call that it made', async () => {
    const { sandbox, client } = await openSandbox()
    const at = await conversation(client, { tools: [weather] })
    await say(client, at.thread, '[call weather]')
    const run = await runOn(client, at)
    const cancelling = await post<Run>(client, `/threads/${at.thread}/runs/${run.id}/cancel`)
    expect(cancelling.status).toBe('cancelling')
    expect(await settled(client, run)).toMatchObject({ status: 'cancelled', cancelled_at: noon / 1000 })
    expect((await stepsOf(client, run))[0]?.status).toBe('cancelled')
    expect(sandbox.calls()).toMatchObject([{ id: run.id, model: 'gpt-4-1106-preview' }])
  })

  it('is billed when its thread is deleted half-way', async () => {
    const { sandbox, client } = await openSandbox()
    const at = await conversation(client, { tools: [weather] })
    await say(client, at.thread, '[call weather]')
    const run = await runOn(client, at)
    await client.beta.threads.delete(at.thread)
    expect(sandbox.calls().map(({ id }) => id)).toEqual([run.id])
  })

  it('waits through a restart, and bills once', async () => {
    const stateFile = newStateFile()
    const first = await openSandbox({ stateFile, outputTokens: 10 })
    const at = await conversation(first.client, { tools: [weather] })
    await say(first.client, at.thread, '[call weather]')
    const run = await runOn(first.client, at)
    await first.sandbox.close()

    const second = await openSandbox({ stateFile, outputTokens: 10 })
    const found = await settled(second.client, run)
    expect(found).toEqual(run)
    expect(await messageOf(say(second.client, at.thread, 'x'))).toBe(
      `400 Can't add messages to ${at.thread} while a run ${run.id} is active.`,
    )
    const outputs = idsOf(run).map((tool_call_id) => ({ tool_call_id, output: 'sunny' }))
    const done = await settled(second.client, await submit(second.client, run, outputs))
    expect(done.status).toBe('completed')
    expect(second.sandbox.calls().map(({ id }) => id)).toEqual([run.id])
  })
})

describe('a run', () => {
  it('that fails half-way bills the model calls that it made', async () => {
    const { sandbox, client } = await openSandbox()
    const at = await conversation(client, { tools: [{ type: 'code_interpreter' }] })
    await say(client, at.thread, '[code][fail]')
    const run = await runOn(client, at)
    expect(run).toMatchObject({ status: 'failed', last_error: { code: 'server_error' } })
    expect(sandbox.calls().map(({ model }) => model)).toEqual([null, 'gpt-4-1106-preview'])
    expect((await stepsOf(client, run)).map(({ type }) => type)).toEqual(['tool_calls'])
  })

  it('bills hidden tokens with each of its model calls', async () => {
    const { sandbox, client } = await openSandbox({ hiddenTokens: true })
    const at = await conversation(client, { tools: [weather] })
    await say(client, at.thread, 'So? [call weather {"city":"Paris"}]')
    const waiting = await runOn(client, at)
    const outputs = idsOf(waiting).map((tool_call_id) => ({ tool_call_id, output: 'sunny' }))
    await settled(client, await submit(client, waiting, outputs))
    // 112 tokens are seen; two model calls hide 8 to 64 each.
    const input = sandbox.calls()[0]?.usage.input_text_tokens
    expect(input).toBeGreaterThanOrEqual(112 + 16)
    expect(input).toBeLessThanOrEqual(112 + 128)
  })

  it('uses no tool that its assistant does not have', async () => {
    const { client } = await openSandbox()
    const at = await conversation(client, { tools: [weather] })
    await say(client, at.thread, '[code][retrieve][call other]')
    const run = await runOn(client, at)
    expect(run.status).toBe('completed')
    expect((await stepsOf(client, run)).length).toBe(1)
  })

  it('has tools of its own before those of its assistant', async () => {
    const { client } = await openSandbox()
    const at = await conversation(client)
    await say(client, at.thread, '[code]')
    const run = await runOn(client, at, { tools: [{ type: 'code_interpreter' }] })
    expect(run.tools).toEqual([{ type: 'code_interpreter' }])
    expect((await stepsOf(client, run)).map(({ type }) => type)).toEqual(['tool_calls', 'message_creation'])
  })

  it('chooses its tools from the seed where the message says nothing', async () => {
    const played = async () => {
      const { client } = await openSandbox({ seed: 'tools' })
      const at = await conversation(client, { tools: [{ type: 'code_interpreter' }] })
      const kinds: string[] = []
      for (let turn = 0; turn < 8; turn++) {
        await say(client, at.thread, `turn ${turn}`)
        kinds.push((await stepsOf(client, await runOn(client, at))).map(({ type }) => type).join())
      }
      return kinds
    }
    const first = await played()
    expect(await played()).toEqual(first)
    expect(new Set(first).size).toBe(2)
  })
})

describe('retrieval', () => {
  const inputOf = async (
    file: string | Uint8Array<ArrayBuffer>,
    options: { readonly model?: string; readonly by?: 'assistant' | 'message' } = {},
  ): Promise<number> => {
    const { sandbox, client } = await openSandbox({ outputTokens: 10 })
    const id = await upload(client, file)
    const files = options.by === 'message' ? [] : [id]
    const model = options.model ?? 'gpt-4-1106-preview'
    const at = await conversation(client, { tools: [{ type: 'retrieval' }], file_ids: files, model })
    await say(client, at.thread, '[retrieve]', options.by === 'message' ? [id] : [])
    const run = await runOn(client, at)
    const [step] = await stepsOf(client, run)
    expect(step?.step_details).toMatchObject({ tool_calls: [{ type: 'retrieval', retrieval: {} }] })
    return sandbox.calls()[0]?.usage.input_text_tokens ?? 0
  }

  // The message "[retrieve]" is 3 tokens, and both model calls read it.
  const messages = 2 * 3

  it('adds a short file whole to what the model reads after it', async () => {
    expect(await inputOf(textOfTokens(3000, 1))).toBe(messages + 3000)
    expect(await inputOf(textOfTokens(3000, 1), { by: 'message' })).toBe(messages + 3000)
  })

  it('adds 20 chunks of 800 tokens of a longer file, and 5 on GPT-3.5', async () => {
    expect(await inputOf(textOfTokens(16_000, 1))).toBe(messages + 16_000)
    expect(await inputOf(textOfTokens(20_000, 1))).toBe(messages + 16_000)
    expect(await inputOf(textOfTokens(20_000, 1), { model: 'gpt-3.5-turbo-1106' })).toBe(messages + 4000)
  })

  it('adds nothing of a file that has no text it can read', async () => {
    expect(await inputOf(new Uint8Array([0xff, 0xfe, 0xfd]))).toBe(messages)
  })
})

describe('the steps of a run', () => {
  it('come a page at a time', async () => {
    const { client } = await openSandbox()
    const at = await conversation(client, { tools: [{ type: 'code_interpreter' }] })
    await say(client, at.thread, '[code][code][code]')
    const run = await runOn(client, at)
    const path = `/threads/${at.thread}/runs/${run.id}/steps`
    const page = await get<{ data: readonly { id: string }[]; has_more: boolean }>(client, `${path}?limit=3`)
    expect([page.data.length, page.has_more]).toEqual([3, true])
    const next = await get<typeof page>(client, `${path}?after=${page.data[2]?.id}`)
    expect([next.data.length, next.has_more]).toEqual([1, false])
    expect(await messageOf(get(client, `${path}/step_none`))).toBe("404 No step found with id 'step_none'.")
  })
})
