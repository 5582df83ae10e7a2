import type { Meter } from '../../../usage/meter.ts'

/** What is asked of the vendor so that a figure comes out. */
export type Ask =
  /** A question of 1,000 tokens, all that is sent counted, and an answer of 1,000: one of the two is read. */
  | { readonly service: 'chat'; readonly model: string; readonly meter: Meter }
  /** The same of the model that a job has just tuned. */
  | { readonly service: 'tuned'; readonly base: string; readonly meter: Meter }
  /** The same question with the picture and without it; the difference is the picture. */
  | { readonly service: 'vision'; readonly model: string; readonly detail: 'low' | 'high' }
  | {
      readonly service: 'image'
      readonly model: 'dall-e-2' | 'dall-e-3'
      readonly size: '256x256' | '512x512' | '1024x1024' | '1024x1792' | '1792x1024'
      readonly quality?: 'standard' | 'hd'
    }
  | { readonly service: 'speech'; readonly model: string; readonly characters: number }
  | { readonly service: 'transcription'; readonly model: string; readonly seconds: number }
  | { readonly service: 'embedding'; readonly model: string; readonly tokens: number }
  /** Runs that call the code interpreter, each so many minutes after the first and on a thread of its number. */
  | {
      readonly service: 'code-interpreter'
      readonly runs: readonly { readonly minute: number; readonly thread: number; readonly calls: number }[]
    }
  | ({ readonly service: 'retrieval' } & Storage)

/** Files that every assistant has, deleted after some hours. */
export type Storage = {
  readonly files: number
  readonly mebibytes: number
  readonly assistants: number
  readonly hours: number
  readonly conversations: number
}

/** A figure of the article, and how it is made again. */
export type ArticleCase = {
  readonly id: string
  /** What the figure is of, in our own words. */
  readonly statement: string
  /** The figure in US dollars. */
  readonly usd: string
  /** What it is called in the tariff, where a promotion made it free. */
  readonly listUsd?: string
  readonly ask: Ask
}

/** Cases of one day. */
export type ArticleDay = {
  readonly at: string
  readonly title: string
  readonly cases: readonly ArticleCase[]
  /** What a reader must know of how they are made again. */
  readonly note?: string
}

const chat = (
  name: string,
  model: string,
  [input, output]: readonly [{ usd: string; more: string }, { usd: string; more: string }],
): readonly ArticleCase[] => [
  {
    id: `${name}-input-1k`,
    statement: `${model}: 1,000 tokens in${input.more}`,
    usd: input.usd,
    ask: { service: 'chat', model, meter: 'input_text_tokens' },
  },
  {
    id: `${name}-output-1k`,
    statement: `${model}: 1,000 tokens out${output.more}`,
    usd: output.usd,
    ask: { service: 'chat', model, meter: 'output_text_tokens' },
  },
]

const november: readonly ArticleCase[] = [
  {
    id: 'vision-low',
    statement: 'a picture in low resolution, 85 tokens',
    usd: '0.00085',
    ask: { service: 'vision', model: 'gpt-4-vision-preview', detail: 'low' },
  },
  {
    id: 'vision-high-1000x1000',
    statement: 'a picture of 1000 x 1000 in high resolution, 765 tokens',
    usd: '0.00765',
    ask: { service: 'vision', model: 'gpt-4-vision-preview', detail: 'high' },
  },
  ...chat('gpt-4-turbo', 'gpt-4-1106-preview', [
    { usd: '0.01', more: '' },
    { usd: '0.03', more: '' },
  ]),
  ...chat('gpt-4-8k', 'gpt-4', [
    { usd: '0.03', more: ', thrice GPT-4 Turbo' },
    { usd: '0.06', more: ', twice GPT-4 Turbo' },
  ]),
  ...chat('gpt-4-32k', 'gpt-4-32k', [
    { usd: '0.06', more: ', six times GPT-4 Turbo' },
    { usd: '0.12', more: ', four times GPT-4 Turbo' },
  ]),
  ...chat('gpt-3.5-turbo', 'gpt-3.5-turbo-1106', [
    { usd: '0.001', more: ', a tenth of GPT-4 Turbo' },
    { usd: '0.002', more: ', a fifteenth of GPT-4 Turbo' },
  ]),
  {
    id: 'gpt-3.5-turbo-fine-tuned-input-1k',
    statement: 'GPT-3.5 Turbo, fine-tuned: 1,000 tokens in',
    usd: '0.003',
    ask: { service: 'tuned', base: 'gpt-3.5-turbo-1106', meter: 'input_text_tokens' },
  },
  {
    id: 'gpt-3.5-turbo-fine-tuned-output-1k',
    statement: 'GPT-3.5 Turbo, fine-tuned: 1,000 tokens out, a fifth of GPT-4 Turbo',
    usd: '0.006',
    ask: { service: 'tuned', base: 'gpt-3.5-turbo-1106', meter: 'output_text_tokens' },
  },
  ...(
    [
      ['dall-e-2-256', '0.016', '256x256'],
      ['dall-e-2-512', '0.018', '512x512'],
      ['dall-e-2-1024', '0.02', '1024x1024'],
    ] as const
  ).map(
    ([id, usd, size]): ArticleCase => ({
      id,
      statement: `dall-e-2: an image of ${size}`,
      usd,
      ask: { service: 'image', model: 'dall-e-2', size },
    }),
  ),
  ...(
    [
      ['dall-e-3-standard-square', '0.04', '1024x1024', 'standard'],
      ['dall-e-3-hd-square', '0.08', '1024x1024', 'hd'],
      ['dall-e-3-standard-portrait', '0.08', '1024x1792', 'standard'],
      ['dall-e-3-standard-landscape', '0.08', '1792x1024', 'standard'],
      ['dall-e-3-hd-portrait', '0.12', '1024x1792', 'hd'],
      ['dall-e-3-hd-landscape', '0.12', '1792x1024', 'hd'],
    ] as const
  ).map(
    ([id, usd, size, quality]): ArticleCase => ({
      id,
      statement: `dall-e-3: an image of ${size}, ${quality}`,
      usd,
      ask: { service: 'image', model: 'dall-e-3', size, quality },
    }),
  ),
  {
    id: 'tts-1-1k-characters',
    statement: 'tts-1: 1,000 characters spoken',
    usd: '0.015',
    ask: { service: 'speech', model: 'tts-1', characters: 1000 },
  },
  {
    id: 'tts-1-hd-1k-characters',
    statement: 'tts-1-hd: 1,000 characters spoken',
    usd: '0.03',
    ask: { service: 'speech', model: 'tts-1-hd', characters: 1000 },
  },
  {
    id: 'whisper-one-second',
    statement: 'whisper-1: a second of sound written down',
    usd: '0.0001',
    ask: { service: 'transcription', model: 'whisper-1', seconds: 1 },
  },
  {
    id: 'whisper-one-hour',
    statement: 'whisper-1: an hour of sound written down',
    usd: '0.36',
    ask: { service: 'transcription', model: 'whisper-1', seconds: 3600 },
  },
  {
    id: 'embedding-1k',
    statement: 'text-embedding-ada-002: 1,000 tokens',
    usd: '0.0001',
    ask: { service: 'embedding', model: 'text-embedding-ada-002', tokens: 1000 },
  },
]

/** When both tools were free. */
const free: readonly ArticleCase[] = [
  {
    id: 'assistants-code-interpreter-promotion',
    statement: 'one session of the code interpreter',
    usd: '0',
    listUsd: '0.03',
    ask: { service: 'code-interpreter', runs: [{ minute: 0, thread: 1, calls: 1 }] },
  },
  {
    id: 'assistants-retrieval-promotion',
    statement: 'a gigabyte-day with two assistants',
    usd: '0',
    listUsd: '0.40',
    ask: { service: 'retrieval', files: 1, mebibytes: 16, hours: 64 * 24, assistants: 2, conversations: 1 },
  },
]

const march: readonly ArticleCase[] = [
  {
    id: 'assistants-code-interpreter-one-session',
    statement: 'one session of the code interpreter, one call',
    usd: '0.03',
    ask: { service: 'code-interpreter', runs: [{ minute: 0, thread: 1, calls: 1 }] },
  },
  {
    id: 'assistants-code-interpreter-many-calls-one-hour',
    statement: '40 calls of it in 59 minutes: one session',
    usd: '0.03',
    ask: {
      service: 'code-interpreter',
      runs: [0, 7, 13, 20, 26, 33, 39, 46, 52, 59].map((minute) => ({ minute, thread: 1, calls: 4 })),
    },
  },
  {
    id: 'assistants-code-interpreter-after-the-hour',
    statement: 'a call 61 minutes after the first: a second session',
    usd: '0.06',
    ask: {
      service: 'code-interpreter',
      runs: [0, 61].map((minute) => ({ minute, thread: 1, calls: 1 })),
    },
  },
  {
    id: 'assistants-code-interpreter-two-threads',
    statement: 'a call on each of two threads: two sessions',
    usd: '0.06',
    ask: {
      service: 'code-interpreter',
      runs: [1, 2].map((thread) => ({ minute: 0, thread, calls: 1 })),
    },
  },
  {
    id: 'assistants-retrieval-two-assistants',
    statement: 'a gigabyte-day with two assistants, of three conversations each',
    usd: '0.40',
    ask: { service: 'retrieval', files: 4, mebibytes: 16, hours: 16 * 24, assistants: 2, conversations: 3 },
  },
  {
    id: 'assistants-retrieval-one-day',
    statement: 'a file of 4 MiB, kept for a day',
    usd: '0.00078125',
    ask: { service: 'retrieval', files: 1, mebibytes: 4, hours: 24, assistants: 1, conversations: 1 },
  },
  {
    id: 'assistants-retrieval-six-hours',
    statement: 'the same file, removed after six hours: a quarter',
    usd: '0.0001953125',
    ask: { service: 'retrieval', files: 1, mebibytes: 4, hours: 6, assistants: 1, conversations: 1 },
  },
]

/** The figures of the article of November 2023, each on a day on which it was charged. */
export const articleDays: readonly ArticleDay[] = [
  { at: '2023-11-15T12:00:00Z', title: 'the prices of the article', cases: november },
  {
    at: '2023-11-15T12:00:00Z',
    title: 'what the launch gave away, beside its list price',
    cases: free,
    note:
      'Requests of a whole gigabyte are not taken: the gigabyte-day is a file of 16 MiB for 64 days, which is as many\n' +
      'bytes times milliseconds.',
  },
  {
    at: '2024-03-15T12:00:00Z',
    title: 'the promotions are over',
    cases: march,
    note: 'The gigabyte-day is 4 files of 16 MiB for 16 days.',
  },
]
