import { countGeminiText, countGenerateContent } from '../tokens/calibrated.ts'
import type { UsageShape } from '../usage/read.ts'
import type { Bound } from './bound.ts'
import { mediaPart } from './content-parts.ts'
import { generateContentReplies } from './content-replies.ts'
import {
  candidatesAsked,
  configOf,
  contentBytes,
  either,
  partOfContent,
  partsOf,
  unheardPart,
} from './content-request.ts'
import { counted } from './counted.ts'
import type { Endpoint, ReplyWire, Route, Surroundings } from './endpoint.ts'
import { googleErrors } from './google-errors.ts'
import { historySent } from './history-sent.ts'
import { countOf, type Json, listOf, member, textOf } from './json.ts'
import { openaiTags } from './openai-tags.ts'
import { findOutputLimit } from './output-limit.ts'
import { plainEndpoint } from './plain-wire.ts'
import { promptBounds } from './prompt-bound.ts'

/** Google's generateContent, its stream, and its count of tokens, which is free. Model and streaming stand in the
 * path, below `prefix`. */
export const generateContent = (counters: UsageShape, prefix = ''): Endpoint => {
  const model = `${prefix}/models/:model`
  const endpoint = plainEndpoint(
    { id: 'generate-content', path: `${model}:generateContent` },
    generateContentReplies(counters).reader,
    { read, bound, count, history, outputLimit, streamsArrays: true },
  )
  const told = (stream: boolean) => (params: Readonly<Record<string, string>>) => ({
    model: params['model'] ?? '',
    stream,
  })
  return {
    ...endpoint,
    ...googleErrors,
    routes: [
      ...endpoint.routes.flatMap((route): Route[] => [
        { ...route, told: told(false) },
        { ...route, path: `${model}:streamGenerateContent`, told: told(true) },
      ]),
      { method: 'POST', path: `${model}:countTokens`, billing: 'free' },
    ],
  }
}

/** Whose rules hold for what is no text, whoever serves the model. */
const vendor = 'google'

/** `unspecified` is the standard tier. Labels are Vertex's tags. */
const read: ReplyWire['read'] = (request) => {
  const tier = textOf(either(request, 'serviceTier'))?.toLowerCase() ?? 'unspecified'
  return {
    model: modelOf(request),
    stream: member(request, 'stream') === true,
    tier: tier === 'unspecified' ? null : tier,
    endUser: null,
    tags: openaiTags({ metadata: member(request, 'labels') }),
  }
}

const modelOf = (request: Json): string | null =>
  textOf(member(request, 'model'))?.replace(/^models\//, '') ?? null

/** Input: by bytes and by the rules of images and sounds. Output: `maxOutputTokens`, thoughts included, else the
 * model's cap, for each candidate. */
const bound = (request: Json, surroundings: Surroundings): readonly Bound[] => {
  const hosted = hostedTool(request)
  if (hosted !== null) {
    const reason = `the tool ${hosted.slice(0, 60)} has no limit to its uses, nor to what it brings in`
    return [{ meters: textMeters, least: 1, most: null, reason }, boundOutput(request, surroundings)]
  }
  const isCached = (either(request, 'cachedContent') ?? null) !== null
  const parts = partsOf(request).flatMap((part) => partOfContent(part) ?? [])
  const prompt = {
    parts: isCached ? [...parts, unheardPart] : parts,
    vendor,
    detail: detailOf(request),
    unseen: isCached ? 'a cache that the vendor keeps' : null,
    overhead: listOf(member(request, 'tools')).length > 0 ? toolsOverheadTokensMax : 0,
    meters: textMeters,
    soundMeters: ['input_audio_tokens', 'cached_input_audio_tokens'] as const,
  }
  return [...promptBounds(prompt, surroundings), boundOutput(request, surroundings)]
}

const textMeters = ['input_text_tokens', 'cached_input_tokens'] as const

/** How a vendor shows functions to a model beside their JSON is not published: as much as was ever measured of any
 * vendor, 804 (Anthropic's page on tool use, copy of mid-2026), with room. */
const toolsOverheadTokensMax = 1_024

/** The first tool that Google runs itself; null where there is none. */
const hostedTool = (request: Json): string | null => {
  const names = listOf(member(request, 'tools')).flatMap((tool) => Object.keys(Object(tool)))
  return names.find((name) => name !== 'functionDeclarations' && name !== 'function_declarations') ?? null
}

/** How closely images are looked at, where the request says. Where a part says it for itself, the closest look is
 * taken for all. */
const detailOf = (request: Json): string | null =>
  partsOf(request).some((part) => (either(part, 'mediaResolution') ?? null) !== null)
    ? 'media_resolution_of_its_own'
    : textOf(either(configOf(request), 'mediaResolution'))

const boundOutput = (request: Json, { outputTokensMax }: Surroundings): Bound => {
  const config = configOf(request)
  const each = countOf(either(config, 'maxOutputTokens')) ?? outputTokensMax
  const kinds = listOf(either(config, 'responseModalities')).map((kind) => String(kind).toUpperCase())
  return {
    meters: [
      'output_text_tokens',
      'output_reasoning_tokens',
      ...(kinds.includes('AUDIO') ? (['output_audio_tokens'] as const) : []),
      ...(kinds.includes('IMAGE') || mayDraw(request) ? (['output_image_tokens'] as const) : []),
    ],
    least: 0,
    most: each === null ? null : each * candidatesAsked(request),
    ...(each === null && {
      reason: 'the request sets no maxOutputTokens, and the output cap of the model is not known',
    }),
  }
}

/** Each candidate has the limit, thoughts included; a budget below zero leaves them to the model (@google/genai 3.1.0,
 * `ThinkingConfig`). Every name may be spelled in either way. */
const outputLimit: NonNullable<ReplyWire['outputLimit']> = (request, { outputTokensMax }) => {
  const config = configOf(request)
  if (!isFields(config)) return null
  const field = [
    spelled(request, 'generationConfig', 'generation_config'),
    spelled(config, 'maxOutputTokens', 'max_output_tokens'),
  ] as const
  const thinking = countOf(either(either(config, 'thinkingConfig'), 'thinkingBudget')) ?? 0
  return findOutputLimit(request, { fields: [field], unsaid: { field, asked: outputTokensMax }, thinking })
}

/** Whether fields can stand in it: an object, or nothing yet. */
const isFields = (value: Json): boolean =>
  (value ?? null) === null || (typeof value === 'object' && !Array.isArray(value))

/** A name as the request spells it. */
const spelled = (value: Json, name: string, other: string): string =>
  (member(value, name) ?? null) === null && (member(value, other) ?? null) !== null ? other : name

/** Models that draw do so without being asked for a picture. */
const mayDraw = (request: Json): boolean => modelOf(request)?.includes('-image') ?? false

const count: ReplyWire['count'] = (request, produced, { counter, ...counting }) => {
  const model = modelOf(request) ?? ''
  const detail = detailOf(request)
  const shown = { ...counting, provider: vendor, model, ...(detail !== null && { detail }) }
  const prompt = countGenerateContent(request, model, counter, {
    partTokens: (content) => {
      const part = partOfContent(content)
      return part === null ? null : mediaPart(part, shown)
    },
  })
  const output = produced.reduce((sum, text) => sum + countGeminiText(text, model, counter), 0)
  return counted(prompt, output)
}

const history: ReplyWire['history'] = (request) =>
  historySent(listOf(member(request, 'contents')), {
    isModels: (content) => member(content, 'role') === 'model',
    bytesOf: contentBytes,
    instructions: contentBytes(either(request, 'systemInstruction')),
  })
