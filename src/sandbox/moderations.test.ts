import { describe, expect, it } from 'vitest'
import { openSandbox } from './sandbox.fixture.ts'

describe('a moderation', () => {
  it('judges each text, and is free', async () => {
    const { client, sandbox } = await openSandbox()
    const { model, results } = await client.moderations.create({
      input: ['I want to kill them.', 'Good morning.'],
    })
    expect(model).toBe('text-moderation-006')
    expect(results.map(({ flagged, categories }) => [flagged, categories.violence, categories.hate])).toEqual(
      [
        [true, true, false],
        [false, false, false],
      ],
    )
    expect(Object.keys(results[0]?.category_scores ?? {})).toHaveLength(11)
    expect(sandbox.calls()).toEqual([])
  })

  it('of the same text is the same', async () => {
    const [first, second] = [await openSandbox(), await openSandbox()]
    const [one, two] = [
      await first.client.moderations.create({ input: 'a gate' }),
      await second.client.moderations.create({ input: 'a gate' }),
    ]
    expect(two.results).toEqual(one.results)
  })

  it('of what is no text, or by another model, is refused', async () => {
    const { sandbox } = await openSandbox()
    const send = async (body: object) => {
      const sent = { method: 'POST', headers: { authorization: 'Bearer k' }, body: JSON.stringify(body) }
      const reply = await fetch(`${sandbox.baseUrl}/moderations`, sent)
      return [reply.status, await reply.json()]
    }
    expect(await send({ input: [1] })).toMatchObject([
      400,
      { error: { message: "[...] is not of type 'string' - 'input'" } },
    ])
    expect(await send({})).toMatchObject([400, { error: { message: "'input' is a required property" } }])
    expect(await send({ input: 'a', model: 'gpt-4' })).toMatchObject([
      400,
      {
        error: {
          message: "'gpt-4' is not one of ['text-moderation-stable', 'text-moderation-latest'] - 'model'",
        },
      },
    ])
  })
})
