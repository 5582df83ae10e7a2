import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { textOfTokens } from './replies.ts'
import { openSandbox } from './sandbox.fixture.ts'

const model = 'text-embedding-ada-002'
const refusal = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'a reply',
    (error: unknown) => (error instanceof OpenAI.APIError ? [error.status, error.message] : error),
  )

describe('an embedding', () => {
  it('is a vector of 1,536 numbers and of length 1, and its tokens are billed', async () => {
    const { client, sandbox } = await openSandbox()
    const { data, usage } = await client.embeddings.create({ model, input: textOfTokens(1000, 1) })
    const vector = data[0]?.embedding ?? []
    expect(vector).toHaveLength(1536)
    expect(vector.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(1, 5)
    expect(usage).toEqual({ prompt_tokens: 1000, total_tokens: 1000 })
    // 1,000 tokens at 0.0001 dollars a thousand.
    expect(sandbox.total()).toMatchObject({ amount: '0.0001', unpriced: [] })
  })

  it('is the same for the same input, in either form', async () => {
    const { client } = await openSandbox()
    const [base64, float] = [
      await client.embeddings.create({ model, input: ['a gate', 'a wall'] }),
      await client.embeddings.create({ model, input: ['a gate', 'a wall'], encoding_format: 'float' }),
    ]
    expect(float.data.map(({ embedding }) => embedding)).toEqual(
      base64.data.map(({ embedding }) => embedding),
    )
    expect(float.data[0]?.embedding).not.toEqual(float.data[1]?.embedding)
    expect(base64.data.map(({ index }) => index)).toEqual([0, 1])
  })

  it('is made of tokens as well', async () => {
    const { client } = await openSandbox()
    expect((await client.embeddings.create({ model, input: [1, 2, 3] })).usage.prompt_tokens).toBe(3)
    const several = await client.embeddings.create({ model, input: [[1, 2], [3]] })
    expect([several.data.length, several.usage.prompt_tokens]).toEqual([2, 3])
  })

  it('takes 8,191 tokens and no more', async () => {
    const { client, sandbox } = await openSandbox()
    await client.embeddings.create({ model, input: textOfTokens(8191, 1) })
    const longer = client.embeddings.create({ model, input: textOfTokens(8192, 1) })
    expect(await refusal(longer)).toEqual([
      400,
      "400 This model's maximum context length is 8191 tokens, however you requested 8192 tokens (8192 in your " +
        'prompt; 0 for the completion). Please reduce your prompt; or completion length.',
    ])
    expect(sandbox.calls()).toHaveLength(1)
  })

  it.each([
    [[], "[] is too short - 'input'"],
    [
      [''],
      "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.",
    ],
    [
      [[]],
      "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.",
    ],
    [new Array<string>(2049).fill('a'), "[...] is too long - 'input'"],
  ])('of %o is refused', async (input, message) => {
    const { client } = await openSandbox()
    expect(await refusal(client.embeddings.create({ model, input }))).toEqual([400, `400 ${message}`])
  })
})
