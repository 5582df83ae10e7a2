import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readScenarios } from '../../scripts/generate-wires.ts'
import { bundledBook, bundledModels } from '../../src/cli/bundled.ts'
import type { Bound } from '../../src/endpoints/bound.ts'
import { chatCompletions } from '../../src/endpoints/chat-completions.ts'
import type { ReplyWire, Surroundings } from '../../src/endpoints/endpoint.ts'
import { chatCounters } from '../../src/endpoints/openai-counters.ts'
import { priceReply } from '../../src/endpoints/reply-cost.ts'
import { quote } from '../../src/planning/quote.ts'
import { findModel, openModelFacts } from '../../src/pricing/model-facts.ts'
import { price } from '../../src/pricing/price.ts'
import { textOfTokens } from '../../src/sandbox/replies.ts'
import { parseInstant } from '../../src/time.ts'
import { loadEncoding } from '../../src/tokens/text.ts'
import { inputTokens, type Usage } from '../../src/usage/usage.ts'
import { parseScenario, readCase, readerOf } from '../support/scenario.ts'
import { trickyText } from '../support/tricky-text.ts'
import {
  type ImageRule,
  imageTokens,
  type MadePart,
  mp3,
  mp3FrameSeconds,
  png,
  schemaTokens,
  soundTokens,
  textTokens,
  toolTokens,
  wav,
} from './vendor.ts'
import { longForm } from './work.ts'

/** A budget holds what a quote says a call can cost at most. Here a vendor bills as much as its published rules
 * allow, and the quote must never be below it. */

const [book, facts] = [await bundledBook(), openModelFacts(await bundledModels())]
const counter = await loadEncoding('o200k_base')
const wire = ((): ReplyWire => {
  const [route] = chatCompletions(chatCounters).routes
  if (route?.billing !== 'reply') throw new Error('the chat wire is metered by its reply')
  return route.wire
})()

type Request = Readonly<Record<string, unknown>>

const surroundingsOf = (request: Request, provider: string, at: number): Surroundings => {
  const model = String(request['model'])
  const found = findModel(facts, { provider, model, at })
  return {
    ...{ provider, model, at, objects: {} },
    bodyBytes: Buffer.byteLength(JSON.stringify(request)),
    contextWindow: found?.contextWindow ?? null,
    outputTokensMax: found?.outputTokensMax ?? null,
  }
}

/** The bounds of a request, before its prompt was counted and after. */
const everyBounds = (request: Request, surroundings: Surroundings): readonly (readonly Bound[])[] => {
  const loose = wire.bound(request, surroundings)
  const count = wire.countPrompt?.(request, { counter, ...surroundings }) ?? null
  const tight = count === null ? null : wire.tighten(loose, count)
  return tight === null ? [loose] : [loose, tight]
}

/** Of each meter no more than the bounds that name it allow together. */
const expectWithin = (usage: Usage, bounds: readonly Bound[]): void => {
  for (const [meter, quantity] of Object.entries(usage)) {
    const named = bounds.filter(({ meters }) => (meters as readonly string[]).includes(meter))
    const most = named.reduce<number>((sum, bound) => sum + (bound.most ?? Number.POSITIVE_INFINITY), 0)
    expect({ meter, most }).toEqual({ meter, most: Math.max(most, Number(quantity)) })
  }
}

describe('the most of a quote covers what a scenario’s call cost', () => {
  const cases = [...readScenarios()].flatMap(([name, text]) => {
    const scenario = parseScenario(text)
    if (scenario.endpoint !== 'chat-completions') return []
    return scenario.cases.flatMap((call) => {
      const asked = call.sections.get('request')
      const reply = [...readCase(readerOf(scenario), call).values()][0]
      // A vendor that bills the seconds of sounds has no wire that is quoted yet.
      const known =
        asked !== undefined && reply?.usage != null && reply.usage.usage.audio_seconds === undefined
      return known ? [{ name: `${name} ${call.label}`, scenario, call, asked, reply }] : []
    })
  })

  it.each(cases)('$name', ({ scenario, call, asked, reply }) => {
    const usage: Usage = reply.usage?.usage ?? {}
    const at = parseInstant((call.sections.get('at') ?? '').trim())
    // The prompts of scenarios are shorter than what they report, and name another model than what answers: the
    // request that belongs to a reply is for that model, as long as the reply says, and allows no longer reply.
    const content: object[] = [{ type: 'text', text: textOfTokens(inputTokens(usage), 'a scenario') }]
    if (usage.input_audio_tokens !== undefined) {
      const seconds = Number(usage.input_audio_tokens) / 10
      const data = wav({ rate: 8_000, samples: seconds * 8_000, stated: seconds * 16_000 })
      content.push({ type: 'input_audio', input_audio: { data, format: 'wav' } })
    }
    const request: Request = {
      ...JSON.parse(asked),
      ...{ model: reply.model, messages: [{ role: 'user', content }] },
      max_completion_tokens: outputTokens(usage),
      ...(usage.output_audio_tokens !== undefined && { audio: { voice: 'alloy', format: 'wav' } }),
    }
    const { pricesFrom, provider } = scenario
    const surroundings = surroundingsOf(request, pricesFrom ?? provider, at)
    const { tier } = wire.read(request, {})
    const priced = { provider: surroundings.provider, model: surroundings.model, at }
    const cost = priceReply(reply, { ...priced, attributes: {} }, book)
    for (const bounds of everyBounds(request, surroundings)) {
      expectWithin(usage, bounds)
      const { most } = quote(bounds, { ...priced, ...(tier !== null && { attributes: { tier } }) }, book)
      const total = reply.stated === null ? (cost?.total ?? null) : null
      expect(total === null || (most !== null && most >= total)).toBe(true)
    }
  })
})

const outputTokens = (usage: Usage): number =>
  Object.entries(usage).reduce(
    (sum, [meter, tokens]) => (meter.startsWith('output_') ? sum + Number(tokens) : sum),
    0,
  )

/** The models a request is made for, the rule of their images, and what else they take. */
const models: readonly { model: string; images: ImageRule; sounds: boolean }[] = [
  { model: 'gpt-4o', images: { kind: 'tile', base: 85, tile: 170 }, sounds: false },
  { model: 'gpt-4o-mini', images: { kind: 'tile', base: 2833, tile: 5667 }, sounds: false },
  { model: 'o1', images: { kind: 'tile', base: 75, tile: 150 }, sounds: false },
  { model: 'o4-mini', images: { kind: 'patch', patchesMax: 1536, factor: 1.72 }, sounds: false },
  { model: 'gpt-audio', images: { kind: 'tile', base: 0, tile: 0 }, sounds: true },
]

const side = fc.integer({ min: 1, max: 12_000 })
const image: fc.Arbitrary<MadePart> = fc
  .record({
    width: side,
    height: side,
    detail: fc.constantFrom('low', 'high', undefined),
    seen: fc.boolean(),
  })
  .map(({ width, height, detail, seen }) => ({
    part: {
      type: 'image_url',
      image_url: {
        url: seen ? png(width, height) : 'https://example.com/a.png',
        ...(detail !== undefined && { detail }),
      },
    },
    bills: (rule) => imageTokens({ width, height, detail }, rule),
    sound: 0,
  }))
const made = (data: string, format: string, seconds: number): MadePart => ({
  part: { type: 'input_audio', input_audio: { data, format } },
  bills: () => 0,
  sound: soundTokens(seconds),
})
const sound: fc.Arbitrary<MadePart> = fc.oneof(
  fc
    .record({
      rate: fc.integer({ min: 4_000, max: 48_000 }),
      samples: fc.nat(40_000),
      stated: fc.nat(200_000),
    })
    .map((wave) => made(wav(wave), 'wav', wave.samples / wave.rate)),
  fc.integer({ min: 1, max: 1_000 }).map((frames) => made(mp3(frames), 'mp3', frames * mp3FrameSeconds)),
)
const document: fc.Arbitrary<MadePart> = fc.nat(20_000).map((tokens) => ({
  part: { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0xLjc=' } },
  bills: () => tokens,
  sound: 0,
}))
const word = fc.stringMatching(/^[a-z]{1,12}$/)
const messageOf = (media: fc.Arbitrary<MadePart>) =>
  fc.record(
    {
      role: fc.constantFrom('user', 'assistant', 'system'),
      name: word,
      texts: fc.array(trickyText, { maxLength: 3 }),
      media: fc.array(media, { maxLength: 2 }),
    },
    { requiredKeys: ['role', 'texts', 'media'] },
  )

const chat = fc.constantFrom(...models).chain((model) =>
  fc.record({
    model: fc.constant(model),
    messages: fc.array(
      messageOf(
        fc.oneof({ weight: 8, arbitrary: model.sounds ? sound : image }, { weight: 1, arbitrary: document }),
      ),
      {
        minLength: 1,
        maxLength: 5,
      },
    ),
    tools: fc.array(fc.record({ name: word, description: fc.lorem(), field: word }), { maxLength: 3 }),
    schema: fc.option(
      fc.dictionary(word, fc.record({ type: fc.constant('string'), description: fc.lorem() })),
    ),
    limit: fc.option(fc.integer({ min: 1, max: 3_000 }), { nil: undefined }),
    n: fc.integer({ min: 1, max: 4 }),
    spoken: fc.boolean(),
    shares: fc.record({ cached: fc.nat(100), reasoning: fc.nat(100), spoken: fc.nat(100) }),
  }),
)

const at = parseInstant('2026-03-01')
const share = (whole: number, percent: number) => Math.floor((whole * percent) / 100)

it('is never below what a vendor bills at the worst for a chat of texts, tools, images, sounds and documents', {
  timeout: 120_000,
}, () => {
  fc.assert(
    fc.property(
      chat,
      ({ model: { model, images, sounds }, messages, tools, schema, limit, n, spoken, shares }) => {
        const speaks = spoken && sounds
        const request: Request = {
          model,
          n,
          messages: messages.map(({ role, name, texts, media }) => ({
            ...{ role, ...(name !== undefined && { name }) },
            content: [...texts.map((text) => ({ type: 'text', text })), ...media.map(({ part }) => part)],
          })),
          ...(limit !== undefined && { max_completion_tokens: limit }),
          ...(tools.length > 0 && {
            tools: tools.map(({ name, description, field }) => ({
              type: 'function',
              function: {
                ...{ name, description },
                parameters: { type: 'object', properties: { [field]: { type: 'string' } } },
              },
            })),
          }),
          ...(schema !== null && {
            response_format: { type: 'json_schema', json_schema: { name: 'a', schema } },
          }),
          ...(speaks && { modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'mp3' } }),
        }
        const surroundings = surroundingsOf(request, 'openai', at)
        const media = messages.flatMap((message) => message.media)
        const text =
          textTokens(messages) +
          toolTokens(tools) +
          (schema === null ? 0 : schemaTokens({ name: 'a', schema })) +
          media.reduce((sum, part) => sum + part.bills(images), 0)
        const heard = media.reduce((sum, part) => sum + part.sound, 0)
        // What does not fit into the model's window is refused, and costs nothing.
        fc.pre(text + heard <= (surroundings.contextWindow ?? 0))
        const produced = (limit ?? surroundings.outputTokensMax ?? 0) * n
        // The model that hears has no price for what is cached.
        const cached = sounds ? 0 : share(text, shares.cached)
        const reasoned = share(produced, shares.reasoning)
        const said = speaks ? share(produced - reasoned, shares.spoken) : 0
        const usage: Usage = {
          ...{ input_text_tokens: text - cached, cached_input_tokens: cached, input_audio_tokens: heard },
          ...{ output_reasoning_tokens: reasoned, output_audio_tokens: said },
          output_text_tokens: produced - reasoned - said,
        }
        const used = Object.fromEntries(Object.entries(usage).filter(([, tokens]) => tokens !== 0))
        const call = { provider: 'openai', model, at }
        const { total } = price(used, call, book)
        for (const bounds of everyBounds(request, surroundings)) {
          expectWithin(used, bounds)
          const { most } = quote(bounds, call, book)
          expect(total !== null && most !== null && most >= total).toBe(true)
        }
      },
    ),
    { numRuns: longForm ? 3_000 : 400 },
  )
})
