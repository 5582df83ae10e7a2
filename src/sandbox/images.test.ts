import OpenAI, { toFile } from 'openai'
import { describe, expect, it } from 'vitest'
import { manualClock } from '../time.ts'
import { sizeOfImage } from '../tokens/image-size.ts'
import { testPng } from './png.fixture.ts'
import { readPng } from './png.ts'
import { noon, openSandbox } from './sandbox.fixture.ts'

const refusal = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'a reply',
    (error: unknown) => (error instanceof OpenAI.APIError ? [error.status, error.message] : error),
  )

const png = (bytes: Buffer) => toFile(bytes, 'image.png', { type: 'image/png' })

describe('images', () => {
  it('are PNG files of the size that was asked for', async () => {
    const { client } = await openSandbox()
    for (const [size, width, height] of [
      ['1024x1024', 1024, 1024],
      ['1024x1792', 1024, 1792],
      ['1792x1024', 1792, 1024],
    ] as const) {
      const order = { model: 'dall-e-3', prompt: 'a gate', size, response_format: 'b64_json' } as const
      const { created, data } = await client.images.generate(order)
      const bytes = Buffer.from(data?.[0]?.b64_json ?? '', 'base64')
      expect(await readPng(bytes)).toEqual({ width, height, mode: 'P' })
      expect(sizeOfImage(bytes)).toEqual({ width, height })
      expect(bytes.length).toBeLessThan(100_000)
      expect(created).toBe(1_700_049_600)
      expect(data?.[0]?.revised_prompt).toMatch(/^a gate\. \w+/)
    }
  })

  it('of the same seed and prompt are the same, of another prompt not', async () => {
    const [first, second] = [await openSandbox(), await openSandbox()]
    const draw = async (client: OpenAI, prompt: string) =>
      (await client.images.generate({ prompt, n: 2, size: '256x256', response_format: 'b64_json' })).data
    const [gate, again, wall] = [
      await draw(first.client, 'a gate'),
      await draw(second.client, 'a gate'),
      await draw(first.client, 'a wall'),
    ]
    expect(again).toEqual(gate)
    expect(wall).not.toEqual(gate)
    expect(gate?.[0]).not.toEqual(gate?.[1])
    expect(gate?.[0]).toEqual({ b64_json: expect.any(String) })
  })

  it('have a URL on the sandbox that needs no key and lasts an hour', async () => {
    const clock = manualClock(noon)
    const { client, sandbox } = await openSandbox({ clock })
    const { data } = await client.images.generate({ prompt: 'a gate', size: '512x512' })
    const url = data?.[0]?.url ?? ''
    expect(url).toMatch(
      new RegExp(
        `^${sandbox.url}/private/org-sandbox/user-sandbox/img-\\w{24}\\.png\\?se=2023-11-15T13%3A00%3A00Z`,
      ),
    )
    clock.advance(3_599_000)
    const reply = await fetch(url)
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'image/png'])
    expect(await readPng(new Uint8Array(await reply.arrayBuffer()))).toEqual({
      width: 512,
      height: 512,
      mode: 'P',
    })
    clock.advance(1000)
    const late = await fetch(url)
    expect([late.status, await late.text()]).toEqual([403, expect.stringContaining('AuthenticationFailed')])
    const nothing = await fetch(`${sandbox.url}/private/org-sandbox/user-sandbox/img-none.png`)
    expect([nothing.status, nothing.headers.get('content-type')]).toEqual([404, 'application/xml'])
  })

  it('are edited and varied from a square PNG', async () => {
    const { client, sandbox } = await openSandbox()
    const image = await png(testPng({ side: 64 }))
    const edited = await client.images.edit({ image, prompt: 'a gate', n: 3, size: '256x256', user: 'ann' })
    expect(edited.data).toHaveLength(3)
    const opaque = await png(testPng({ side: 64, type: 2 }))
    const mask = await png(testPng({ side: 64 }))
    const masked = { image: await png(testPng({ side: 64 })), mask, prompt: 'a gate' }
    expect(
      (await client.images.edit({ ...masked, response_format: 'b64_json' })).data?.[0]?.b64_json,
    ).toBeDefined()
    expect((await client.images.createVariation({ image: opaque, n: 2, size: '512x512' })).data).toHaveLength(
      2,
    )
    expect(
      sandbox.calls().map(({ wire, usage, attributes, user }) => [wire, usage, attributes, user]),
    ).toEqual([
      ['image-edits', { image: 3 }, { size: '256x256' }, 'ann'],
      ['image-edits', { image: 1 }, { size: '1024x1024' }, null],
      ['image-variations', { image: 2 }, { size: '512x512' }, null],
    ])
    // 3 x 0.016 + 1 x 0.020 + 2 x 0.018.
    expect(sandbox.total().amount).toBe('0.104')
  })

  it.each([
    ['that is no PNG', Buffer.from('GIF89a'), 'Uploaded image must be a PNG and less than 4 MB.'],
    [
      'with a lying header',
      testPng({ side: 64, says: 1024 }),
      'Uploaded image must be a PNG and less than 4 MB.',
    ],
    [
      'that breaks off',
      testPng({ side: 64 }).subarray(0, -20),
      'Uploaded image must be a PNG and less than 4 MB.',
    ],
    [
      'of 4 MB',
      Buffer.concat([testPng({ side: 64 }), Buffer.alloc(4 * 2 ** 20)]),
      'Uploaded image must be a PNG and less than 4 MB.',
    ],
    ['that is not square', testPng({ side: 64, width: 32 }), 'Uploaded image must be square.'],
    [
      'without a mask and without transparency',
      testPng({ side: 64, type: 2 }),
      "Invalid input image - format must be in ['RGBA', 'LA', 'L'], got RGB.",
    ],
  ])('%s are not edited, and nothing is billed', async (_, bytes, message) => {
    const { client, sandbox } = await openSandbox()
    const edit = client.images.edit({ image: await png(bytes), prompt: 'a gate' })
    expect(await refusal(edit)).toEqual([400, `400 ${message}`])
    expect(sandbox.calls()).toEqual([])
  })

  it('are edited by DALL-E 2 alone', async () => {
    const { client } = await openSandbox()
    const image = await png(testPng({ side: 64 }))
    expect(await refusal(client.images.edit({ image, prompt: 'a gate', model: 'dall-e-3' }))).toEqual([
      400,
      "400 Invalid value: 'dall-e-3'. Value must be 'dall-e-2'.",
    ])
  })

  it('do not fit a mask of another size', async () => {
    const { client } = await openSandbox()
    const [image, mask] = [await png(testPng({ side: 64 })), await png(testPng({ side: 32 }))]
    expect(await refusal(client.images.edit({ image, mask, prompt: 'a gate' }))).toEqual([
      400,
      '400 The mask and the image must have the same size.',
    ])
  })

  it.each([
    [{ prompt: 'a', model: 'dall-e-3', n: 2 }, 'You must provide n=1 for this model.'],
    [{ prompt: 'a', model: 'dall-e-3', size: '512x512' }, 'The size is not supported by this model.'],
    [{ prompt: 'a', size: '1024x1792' }, 'The size is not supported by this model.'],
    [{ prompt: 'a', n: 11 }, "11 is greater than the maximum of 10 - 'n'"],
    [{ prompt: 'a', n: '2' }, "'2' is not of type 'integer' - 'n'"],
    [{ prompt: 'a'.repeat(1001) }, `'${'a'.repeat(100)}' is too long - 'prompt'`],
    [{ prompt: '' }, "'' is too short - 'prompt'"],
    [{ model: 'dall-e-2' }, "'prompt' is a required property"],
    [{ prompt: 'a', model: 'gpt-4' }, 'The model `gpt-4` is not supported at this endpoint.'],
    [{ prompt: 'a', colour: 'red' }, "Additional properties are not allowed ('colour' was unexpected)"],
  ])('asked for by %o are refused', async (order, message) => {
    const { sandbox } = await openSandbox()
    const reply = await fetch(`${sandbox.baseUrl}/images/generations`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk-test' },
      body: JSON.stringify(order),
    })
    expect([reply.status, await reply.json()]).toMatchObject([400, { error: { message } }])
    expect(sandbox.calls()).toEqual([])
  })

  it('that break off half-way are billed all the same', async () => {
    const { client, sandbox } = await openSandbox()
    sandbox.faults.add({ kind: 'cut', endpoint: 'images' })
    expect(await refusal(client.images.generate({ prompt: 'a gate' }))).toBeInstanceOf(Error)
    expect(sandbox.total().amount).toBe('0.02')
  })
})
