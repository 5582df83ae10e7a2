import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countChat } from '../tokens/chat.ts'
import { loadEncoding } from '../tokens/text.ts'
import { fineTuning } from './fine-tuning.ts'
import type { JobWire } from './job.ts'
import type { Json } from './json.ts'

const wireOf = (): JobWire => {
  for (const route of fineTuning.routes) {
    if (route.billing === 'later' && route.wire.kind === 'job') return route.wire
  }
  throw new Error('Fine-tuning has no jobs')
}
const wire = wireOf()

/** The most that a job can train on a file of so many bytes. */
const most = (request: Json, bytes: number | null, model = 'gpt-3.5-turbo'): number | null | undefined => {
  const file = {
    kind: 'file',
    id: 'file-1',
    parent: null,
    model: null,
    tokensMost: null,
    tools: false,
    bytes,
  } as const
  const around = { provider: 'openai', model, at: 1_700_000_000_000, bodyBytes: 100 }
  const window = { contextWindow: null, outputTokensMax: null }
  return wire.bound(request, { ...around, ...window, objects: { file } })[0]?.most
}

const counter = await loadEncoding('cl100k_base')

/** Any text, among it what looks like a special token. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('<|im_start|>', '\n\n\n', '   ', '"\\"'),
)
const message = fc.record({ role: fc.constantFrom('system', 'user', 'assistant'), content: text })

describe('the most that a job trains', () => {
  it('is never less than what its examples count, in every epoch', () => {
    const example = fc.record({ messages: fc.array(message, { minLength: 1, maxLength: 5 }) })
    fc.assert(
      fc.property(
        fc.array(example, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 50 }),
        (examples, n_epochs) => {
          const bytes = Buffer.byteLength(examples.map((each) => JSON.stringify(each)).join('\n'))
          const tokens = examples.reduce(
            (sum, { messages }) => sum + countChat({ model: 'gpt-3.5-turbo-0613', messages }, counter).tokens,
            0,
          )
          expect(most({ hyperparameters: { n_epochs } }, bytes)).toBeGreaterThanOrEqual(tokens * n_epochs)
        },
      ),
    )
  })

  it.each<[string, Json, number | null]>([
    ['three epochs of its bytes', { hyperparameters: { n_epochs: 3 } }, 300],
    ['fifty where the vendor chooses', { hyperparameters: { n_epochs: 'auto' } }, 5_000],
    ['fifty where nothing is asked', {}, 5_000],
    ['fifty where what is asked is no number', { hyperparameters: { n_epochs: -1 } }, 5_000],
    [
      'the more of two places',
      {
        hyperparameters: { n_epochs: 2 },
        method: { type: 'supervised', supervised: { hyperparameters: { n_epochs: 4 } } },
      },
      400,
    ],
    [
      'twice as much where answers are compared',
      { method: { type: 'dpo', dpo: { hyperparameters: { n_epochs: 1 } } } },
      200,
    ],
    ['unknown for reinforcement', { method: { type: 'reinforcement' } }, null],
    ['unknown for a method that is not known', { method: { type: 'osmosis' } }, null],
  ])('is %s', (_, request, expected) => {
    expect(most(request, 100)).toBe(expected)
  })

  it('is unknown where the file is, and for models whose files can name images', () => {
    expect(most({}, null)).toBeNull()
    expect(most({}, 100, 'gpt-4o-2024-08-06')).toBeNull()
    expect(most({}, 100, 'gpt-4o-mini-2024-07-18')).toBe(5_000)
  })
})

describe('a job that has ended', () => {
  const job = { id: 'ftjob-1', model: 'gpt-3.5-turbo-0613', trained_tokens: null }

  it.each([
    ['trained 390 tokens', { ...job, status: 'succeeded', trained_tokens: 390 }, { training_tokens: 390 }],
    ['failed at nothing', { ...job, status: 'failed', error: { code: 'invalid_training_file' } }, {}],
    ['failed at what it says', { ...job, status: 'failed', trained_tokens: 13 }, { training_tokens: 13 }],
    ['was cancelled at nothing', { ...job, status: 'cancelled', trained_tokens: 0 }, { training_tokens: 0 }],
    ['was cancelled and does not say', { ...job, status: 'cancelled' }, null],
    [
      'was reinforced, which is billed by time',
      { ...job, status: 'succeeded', trained_tokens: 9, method: { type: 'reinforcement' } },
      null,
    ],
  ])('%s', (_, reply, usage) => {
    expect(wire.readJob(reply)).toMatchObject({ ended: true, usage })
  })

  it.each(['validating_files', 'queued', 'running', 'paused'])('is none that is %s', (status) => {
    expect(wire.readJob({ ...job, status, trained_tokens: 5 })).toMatchObject({ ended: false, usage: null })
  })
})
