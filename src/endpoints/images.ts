import { imageAtMost } from '../tokens/image.ts'
import { tokensAtMost } from '../tokens/text.ts'
import type { UsageShape } from '../usage/read.ts'
import type { Bound } from './bound.ts'
import type { Endpoint, Route, Surroundings } from './endpoint.ts'
import { isOn } from './form-values.ts'
import { type Json, listOf, member, textOf } from './json.ts'
import type { Names } from './objects.ts'
import { openaiTags } from './openai-tags.ts'
import {
  isByThePiece,
  type Picture,
  pictureAsked,
  pictureOf,
  picturesAsked,
  picturesBrought,
  pictureTokensMost,
} from './pictures.ts'
import { plainEndpoint } from './plain-wire.ts'
import type { Reply, ReplyReader } from './reply.ts'
import { openaiPlaces, portionOf, shapeReader } from './reply-shape.ts'
import { drawingCounters } from './response-tools.ts'
import { typedStream } from './streams.ts'

/** The model of a picture where the request names none, and what it makes where the request does not say. */
type PictureDefaults = Picture & { readonly model: string }

/** The wires of pictures: made from a text, from other pictures and a text, or from another picture alone. A
 * model that counts tokens reports a usage; one that does not is billed by the pictures it returns, at the size
 * and quality asked for. */
export const images = (
  id: 'image-generations' | 'image-edits' | 'image-variations',
  counters: UsageShape,
  defaults: PictureDefaults,
): Endpoint =>
  plainEndpoint({ id, ...places[id] }, imageReader(id, counters, defaults), {
    read: (request) => ({
      model: textOf(member(request, 'model')) ?? defaults.model,
      stream: isOn(member(request, 'stream')),
      tier: null,
      endUser: textOf(member(request, 'user')),
      tags: openaiTags(request),
    }),
    bound: (request, surroundings) =>
      isByThePiece(surroundings.model)
        ? [boundPieces(request, surroundings, defaults)]
        : boundTokens(request, surroundings),
    count: (request, _produced, { counter }) => {
      const model = textOf(member(request, 'model')) ?? defaults.model
      const pictures = picturesAsked(request) ?? 1
      const each = isByThePiece(model) ? null : pictureTokensMost(request, model)
      const prompt = counter.count(textOf(member(request, 'prompt')) ?? '')
      return {
        usage:
          each === null
            ? { image: pictures }
            : { input_text_tokens: prompt, output_image_tokens: each * pictures },
        history: 0,
        rule: 'the pictures that were asked for',
      }
    },
    history: (request) => ({ resent: 0, total: (textOf(member(request, 'prompt')) ?? '').length }),
  })

/** In JSON, pictures may come by the ids of files that were uploaded before. */
const namedFiles: Names = (request) =>
  [...listOf(member(request, 'images')), member(request, 'mask')].flatMap((picture) => {
    const id = textOf(member(picture, 'file_id'))
    return id === null ? [] : [{ kind: 'file' as const, id }]
  })

const form: Route['form'] = { sounds: [] }
const places = {
  'image-generations': { path: '/images/generations' },
  'image-edits': { path: '/images/edits', form, names: namedFiles },
  'image-variations': { path: '/images/variations', form },
}

const imageReader = (id: string, counters: UsageShape, defaults: PictureDefaults): ReplyReader => {
  const read = shapeReader({ ...openaiPlaces, counters })
  const readReply = (reply: Json, request?: Json): Reply => {
    const found = read(reply)
    const drawing = member(reply, 'svg_usage')
    return {
      ...found,
      model: textOf(member(request, 'model')),
      ...(found.usage === null && counted(reply, request, defaults)),
      apart: portionOf(drawing, drawingCounters, { id: 'svg', model: textOf(member(drawing, 'model')) }),
    }
  }
  const event = id === 'image-edits' ? 'image_edit.completed' : 'image_generation.completed'
  return {
    readReply,
    meterStream: (request) =>
      typedStream({ reports: { [event]: null }, ends: [event] }, (report) => readReply(report, request)),
  }
}

/** What is billed by the piece: how many there are is in the reply, what they are is in the request. */
const counted = (
  reply: Json,
  request: Json,
  defaults: PictureDefaults,
): Pick<Reply, 'model' | 'usage' | 'attributes'> => {
  const pictures = listOf(member(reply, 'data')).length
  return {
    model: textOf(member(request, 'model')) ?? defaults.model,
    usage: pictures === 0 ? null : { usage: { image: pictures }, problems: [] },
    attributes: attributesOf(pictureOf(request, defaults)),
  }
}

const attributesOf = ({ size, quality }: Picture): Readonly<Record<string, string>> => ({
  size,
  ...(quality !== null && { quality }),
})

const notWhole = 'n is no whole number'

const boundPieces = (request: Json, { model }: Surroundings, defaults: Picture): Bound => {
  const pictures = picturesAsked(request)
  return {
    meters: ['image'],
    least: pictures ?? 0,
    most: pictures,
    attributes: attributesOf(pictureAsked(request, model, defaults)),
    ...(pictures === null && { reason: notWhole }),
  }
}

/** Tokens that the vendor adds to a prompt and shows nobody: 32 were measured on edits (community 1281361);
 * generous. */
const hiddenTokensMax = 128

/** Input: the prompt, at most its bytes, and each picture that comes with it, at most what the model makes of
 * any. Output: the table of the model, where there is one. */
const boundTokens = (request: Json, { provider, model, at }: Surroundings): readonly Bound[] => {
  const prompt = tokensAtMost(textOf(member(request, 'prompt')) ?? '') + hiddenTokensMax
  const brought = picturesBrought(request)
  const fidelity = textOf(member(request, 'input_fidelity'))
  const each = imageAtMost({ provider, model, at, ...(fidelity !== null && { detail: fidelity }) })
  const input = brought === 0 ? 0 : each === null ? null : each * brought
  const pictures = picturesAsked(request)
  const tokens = pictureTokensMost(request, model)
  const output = tokens === null || pictures === null ? null : tokens * pictures
  return [
    { meters: ['input_text_tokens'], least: 0, most: prompt },
    {
      meters: ['input_image_tokens'],
      least: 0,
      most: input,
      ...(input === null && { reason: `no rule is published for the pictures that ${model} is shown` }),
    },
    {
      meters: ['output_image_tokens'],
      least: 0,
      most: output,
      ...(output === null && {
        reason: pictures === null ? notWhole : `no table of the tokens of a picture of ${model} is published`,
      }),
    },
  ]
}
