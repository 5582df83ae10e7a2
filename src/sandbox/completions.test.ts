import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { textOfTokens } from './replies.ts'
import { openSandbox } from './sandbox.fixture.ts'

const model = 'gpt-3.5-turbo-instruct'

const refusal = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'a reply',
    (error: unknown) => (error instanceof OpenAI.APIError ? [error.status, error.message] : error),
  )

describe('a completion', () => {
  it('continues each prompt, says 16 tokens unless asked for more, and is billed', async () => {
    const { client, sandbox } = await openSandbox({ outputTokens: 500 })
    const reply = await client.completions.create({
      model,
      prompt: [textOfTokens(100, 1), textOfTokens(50, 2)],
      n: 2,
    })
    expect(reply.choices.map(({ index, finish_reason }) => [index, finish_reason])).toEqual([
      [0, 'length'],
      [1, 'length'],
      [2, 'length'],
      [3, 'length'],
    ])
    expect(reply.usage).toEqual({ prompt_tokens: 150, completion_tokens: 64, total_tokens: 214 })
    // 150 x 0.0015 / 1,000 + 64 x 0.002 / 1,000.
    expect(sandbox.total()).toMatchObject({ amount: '0.000353', unpriced: [] })
  })

  it('streams the text it would give whole', async () => {
    const { client } = await openSandbox()
    const ask = { model, prompt: 'Once', max_tokens: 300 }
    const whole = await client.completions.create(ask)
    let text = ''
    for await (const { choices } of await client.completions.create({ ...ask, stream: true })) {
      text += choices[0]?.text ?? ''
    }
    expect(text).toBe(whole.choices[0]?.text)
    expect(text.length).toBeGreaterThan(20)
  })

  it('fits its window with its prompt, or is refused', async () => {
    const { client, sandbox } = await openSandbox({ outputTokens: 1 })
    const ask = { model, prompt: textOfTokens(4000, 1) }
    await client.completions.create({ ...ask, max_tokens: 97 })
    expect(await refusal(client.completions.create({ ...ask, max_tokens: 98 }))).toEqual([
      400,
      "400 This model's maximum context length is 4097 tokens, however you requested 4098 tokens (4000 in your " +
        'prompt; 98 for the completion). Please reduce your prompt; or completion length.',
    ])
    expect(sandbox.calls()).toHaveLength(1)
  })

  it.each([
    [{ model, prompt: 'a', echo: true }, "The sandbox does not play 'echo' yet: leave it out."],
    [{ model, prompt: 'a', best_of: 3 }, "The sandbox does not play 'best_of' yet: leave it out."],
    [{ model: 'gpt-4', prompt: 'a' }, 'The model `gpt-4` is not supported at this endpoint.'],
    [{ model, prompt: 'a', stop: ['1', '2', '3', '4', '5'] }, "[...] is too long - 'stop'"],
  ])('of %o is refused', async (ask, message) => {
    const { client } = await openSandbox()
    expect(await refusal(client.completions.create(ask))).toEqual([400, `400 ${message}`])
  })
})
