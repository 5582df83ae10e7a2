import type OpenAI from 'openai'
import { APIError, toFile } from 'openai'
import type { Picos } from '../../../money/money.ts'
import { drawPng } from '../../../sandbox/png.ts'
import { textOfTokens } from '../../../sandbox/replies.ts'
import type { Meter } from '../../../usage/meter.ts'
import { type Replay, readFigures } from './replay.ts'
import { silence } from './sound.ts'
import { sandboxClient } from './tuned.ts'

/** A limit of November 2023. */
export type ArticleLimit = {
  readonly statement: string
  readonly asks: 'vision' | 'images' | 'transcriptions'
  /** The request that is refused, counted from the first of its kind. */
  readonly refused: number
  /** What those before it cost, and the meter where the ledger has it. */
  readonly usd: string
  readonly meter: Meter
  /** A minute passes after so many requests. */
  readonly pace?: number
}

/** In the order in which they are met: the day of Vision begins with its first minute. */
const limits: readonly ArticleLimit[] = [
  {
    statement: 'Vision: 20 requests a minute',
    asks: 'vision',
    refused: 21,
    usd: '0.0184',
    meter: 'input_text_tokens',
  },
  {
    statement: 'Vision: 100 requests a day',
    asks: 'vision',
    refused: 101,
    usd: '0.092',
    meter: 'input_text_tokens',
    pace: 20,
  },
  { statement: 'DALL-E 3: 6 images a minute', asks: 'images', refused: 7, usd: '0.24', meter: 'image' },
  {
    statement: 'Whisper: 50 requests a minute',
    asks: 'transcriptions',
    refused: 51,
    usd: '0.005',
    meter: 'audio_seconds',
  },
]

/** What became of a limit: which request the vendor refused, in its words, and what the ledger had by then. */
export type Met = {
  readonly limit: ArticleLimit
  readonly request: number | null
  readonly message: string
  readonly amount: Picos
}

/** Runs into the limits, one after the other. */
export const meetLimits = async (replay: Replay): Promise<readonly Met[]> => {
  const asked = new Map<string, number>()
  const met: Met[] = []
  for (const limit of limits) {
    const ask = await askers[limit.asks](await replay.client(limit.asks))
    const outcome = await askUntilRefused(replay, { ...limit, from: (asked.get(limit.asks) ?? 0) + 1 }, ask)
    asked.set(limit.asks, limit.refused - 1)
    const figureOf = await readFigures(replay)
    const { amount } = figureOf({ team: limit.asks, meter: limit.meter })
    met.push({ limit, ...outcome, amount })
    replay.clock.advance(minuteMs)
  }
  return met
}

const minuteMs = 60_000

const askUntilRefused = async (
  { clock }: Replay,
  { refused, pace, from }: ArticleLimit & { readonly from: number },
  ask: () => Promise<unknown>,
): Promise<{ readonly request: number | null; readonly message: string }> => {
  for (let request = from; request <= refused; request += 1) {
    const message = await refusalOf(ask())
    if (message !== null) return { request, message }
    if (pace !== undefined && request % pace === 0) clock.advance(minuteMs)
  }
  return { request: null, message: 'nothing was refused' }
}

/** What the vendor said when it refused, with the status before it; null when it did not. */
const refusalOf = async (asked: Promise<unknown>): Promise<string | null> => {
  try {
    await asked
    return null
  } catch (error) {
    if (error instanceof APIError && (error.status === 429 || error.status === 400)) return error.message
    throw error
  }
}

const askers: Readonly<Record<ArticleLimit['asks'], (client: OpenAI) => Promise<() => Promise<unknown>>>> = {
  vision: async (client) => {
    const png = await drawPng({ width: 16, height: 16 }, 'limits')
    const image_url = { url: `data:image/png;base64,${png.toString('base64')}`, detail: 'low' as const }
    const content = [{ type: 'image_url' as const, image_url }]
    return () =>
      client.chat.completions.create({
        model: 'gpt-4-vision-preview',
        max_tokens: 20,
        messages: [{ role: 'user', content }],
      })
  },
  images: async (client) => () => client.images.generate({ model: 'dall-e-3', prompt: 'a toll gate' }),
  transcriptions: async (client) => {
    const file = await toFile(silence(1), 'sound.wav', { type: 'audio/wav' })
    return () => client.audio.transcriptions.create({ model: 'whisper-1', file })
  },
}

/** A step of the account, and the limit that a caller sees after it. */
export type Climbed = {
  readonly statement: string
  readonly tier: string
  readonly wanted: string
  readonly tokensAMinute: string
}

/** The account pays 5 dollars, `between` happens, and it pays 45 more, eight days after the first. */
export const climbTiers = async (
  replay: Replay,
  between: () => Promise<unknown>,
): Promise<readonly Climbed[]> => {
  const { url } = replay.world.sandbox
  const pay = (usd: string): Promise<unknown> =>
    fetch(`${url}/sandbox/payments`, { method: 'POST', body: JSON.stringify({ usd }) })
  const step = async (statement: string, wanted: string): Promise<Climbed> => {
    const account = (await (await fetch(`${url}/sandbox/account`)).json()) as { readonly tier: string }
    const { response } = await (await replay.client('tiers')).chat.completions
      .create({ model: 'gpt-4', max_tokens: 20, messages: [{ role: 'user', content: textOfTokens(10, 1) }] })
      .withResponse()
    const tokensAMinute = response.headers.get('x-ratelimit-limit-tokens') ?? 'none'
    return { statement, tier: account.tier, wanted, tokensAMinute }
  }
  const free = await step('nothing is paid', 'free')
  await pay('5')
  const first = await step('5 USD are paid', '1')
  await between()
  await pay('45')
  const early = await step('50 USD are paid, on the day of the first payment', '1')
  replay.clock.advance(8 * 1440 * minuteMs)
  return [free, first, early, await step('eight days later', '2')]
}

/** What the vendor says to whoever would fine-tune GPT-4; null when it does it. */
export const tuneGpt4 = async ({ world }: Replay): Promise<string | null> => {
  const client = sandboxClient(world.sandbox.baseUrl)
  const file = await toFile(Buffer.from('{}'), 'examples.jsonl')
  const { id: training_file } = await client.files.create({ file, purpose: 'fine-tune' })
  return refusalOf(client.fineTuning.jobs.create({ model: 'gpt-4', training_file }))
}
