import type { UsageShape } from '../usage/read.ts'
import type { ReadWire, Reply } from './endpoint.ts'
import { type Json, listOf, member, textOf } from './json.ts'
import { openaiPlaces, portionOf, shapeReader } from './reply-shape.ts'
import { drawingCounters } from './response-tools.ts'
import { typedStream } from './streams.ts'

/** What fixes the price of a picture that is billed by the piece, where the request does not say it: the
 * model, and its size and quality. */
type PictureDefaults = {
  readonly model: string | null
  readonly size: string | null
  readonly quality: string | null
}

/** The replies of the image wires. A model that counts tokens reports a usage; one that does not is billed by
 * the pictures it returns, at the size and quality asked for. Neither says which model it was. */
export const imageReplies = (
  id: 'image-generations' | 'image-edits' | 'image-variations',
  counters: UsageShape,
  defaults: PictureDefaults,
): ReadWire => {
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
    id,
    reader: {
      readReply,
      meterStream: (request) =>
        typedStream({ reports: { [event]: null }, ends: [event] }, (report) => readReply(report, request)),
    },
  }
}

const counted = (
  reply: Json,
  request: Json,
  defaults: PictureDefaults,
): Partial<Pick<Reply, 'model' | 'usage' | 'attributes'>> => {
  const pictures = listOf(member(reply, 'data')).length
  if (pictures === 0) return {}
  const size = textOf(member(request, 'size')) ?? defaults.size
  const quality = textOf(member(request, 'quality')) ?? defaults.quality
  return {
    model: textOf(member(request, 'model')) ?? defaults.model,
    usage: { usage: { image: pictures }, problems: [] },
    attributes: { ...(size !== null && { size }), ...(quality !== null && { quality }) },
  }
}
