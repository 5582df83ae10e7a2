import { describe, expect, it } from 'vitest'
import { conversation, get, messageOf, post, runOn, say, settled, weather } from './assistants.fixture.ts'
import type { Assistant, Run } from './objects.ts'
import { openSandbox } from './sandbox.fixture.ts'

describe('the tools and files of an assistant', () => {
  it('are kept, changed, and left as they are when a change does not say them', async () => {
    const { client } = await openSandbox()
    const tools = [{ type: 'code_interpreter' as const }, { type: 'retrieval' as const }, weather]
    const { assistant } = await conversation(client, { tools })
    const path = `/assistants/${assistant}`
    expect((await get<Assistant>(client, path)).tools).toEqual(tools)
    expect((await post<Assistant>(client, path, { name: 'Ada' })).tools).toEqual(tools)
    expect((await post<Assistant>(client, path, { tools: [weather] })).tools).toEqual([weather])
  })

  it('stay with a run whose assistant is deleted meanwhile', async () => {
    const { client } = await openSandbox()
    const at = await conversation(client, { tools: [weather] })
    await say(client, at.thread, '[call weather]')
    const run = await runOn(client, at)
    await client.beta.assistants.delete(at.assistant)
    const [call] = run.required_action?.submit_tool_outputs.tool_calls ?? []
    const path = `/threads/${at.thread}/runs/${run.id}/submit_tool_outputs`
    const outputs = { tool_outputs: [{ tool_call_id: call?.id, output: 'sunny' }] }
    const done = await settled(client, await post<Run>(client, path, outputs))
    expect(done).toMatchObject({ status: 'completed', tools: [weather] })
    expect(await messageOf(runOn(client, at))).toBe(`404 No assistant found with id '${at.assistant}'.`)
  })

  const refused: readonly [string, object, string][] = [
    [
      'a tool of later years',
      { model: 'gpt-4', tools: [{ type: 'retrieval' }, { type: 'file_search' }] },
      '400 1 validation error for Request\nbody -> tools -> 1 -> type\n  value is not a valid enumeration ' +
        "member; permitted: 'code_interpreter', 'retrieval', 'function' (type=type_error.enum)",
    ],
    [
      'a function whose name nothing can call',
      {
        model: 'gpt-4',
        tools: [{ type: 'function', function: { name: 'a b', parameters: { type: 'object' } } }],
      },
      '400 1 validation error for Request\nbody -> tools -> 0 -> function -> name\n  string does not match ' +
        'regex "^[a-zA-Z0-9_-]{1,64}$" (type=value_error.str.regex; pattern=^[a-zA-Z0-9_-]{1,64}$)',
    ],
    [
      'a function without parameters',
      { model: 'gpt-4', tools: [{ type: 'function', function: { name: 'weather' } }] },
      '400 1 validation error for Request\nbody -> tools -> 0 -> function -> parameters\n  field required ' +
        '(type=value_error.missing)',
    ],
    [
      'parameters that are no schema',
      { model: 'gpt-4', tools: [{ type: 'function', function: { name: 'weather', parameters: null } }] },
      "400 Invalid schema for function 'weather': None is not of type 'object'",
    ],
    [
      'parameters that are no object',
      { model: 'gpt-4', tools: [{ type: 'function', function: { name: 'weather', parameters: {} } }] },
      "400 Invalid schema for function 'weather': schema must be a JSON Schema of 'type: \"object\"', got " +
        '\'type: "None"\'.',
    ],
    [
      'a file that nobody has',
      { model: 'gpt-4', file_ids: ['file-none'] },
      "404 No file found with id 'file-none'.",
    ],
    [
      'more files than twenty',
      { model: 'gpt-4', file_ids: Array.from({ length: 21 }, (_, index) => `file-${index}`) },
      '400 1 validation error for Request\nbody -> file_ids\n  ensure this value has at most 20 items ' +
        '(type=value_error.list.max_items; limit_value=20)',
    ],
  ]
  it.each(refused)('are refused: %s', async (_, body, message) => {
    const { client } = await openSandbox()
    expect(await messageOf(post(client, '/assistants', body))).toBe(message)
  })
})
