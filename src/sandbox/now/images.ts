import { countImage } from '../../tokens/image.ts'
import { choice, flag, number, text, withNumbers } from '../arguments.ts'
import { drawPng, readPng } from '../png.ts'
import { hexFrom, markOf } from '../random.ts'
import { Refusal } from '../refusal.ts'
import { type Answer, type Exchange, type Fields, seconds, type Upload, type WireRoute } from '../world.ts'
import { unplayed, userOf } from './chat-request.ts'
import { billVendor, type LiveWorld } from './live-world.ts'
import { openaiModel } from './openai-models.ts'

/** Images of GPT Image: drawn, or made from another, whole and streamed; PNGs in base64, billed in tokens. */
export const images = (world: LiveWorld): readonly WireRoute[] => [
  {
    method: 'POST',
    path: '/v1/images/generations',
    family: 'images',
    handle: (exchange) => paint(world, 'image_generation', exchange, exchange.body),
  },
  {
    method: 'POST',
    path: '/v1/images/edits',
    family: 'images',
    form: true,
    handle: (exchange) => {
      const body = withNumbers(exchange.body, ['n', 'partial_images'])
      const stream = body['stream'] === 'true' || body['stream'] === true
      return paint(world, 'image_edit', exchange, { ...body, stream })
    },
  },
]

const sizes = ['auto', '1024x1024', '1024x1536', '1536x1024'] as const
const qualities = ['auto', 'low', 'medium', 'high'] as const

/** Tokens of a picture by size and quality: the vendor's table of gpt-image-1, which newer models have no other of
 * (guide to image generation, state of 2025). */
const tokensOf = {
  '1024x1024': { low: 272, medium: 1056, high: 4160 },
  '1024x1536': { low: 408, medium: 1584, high: 6240 },
  '1536x1024': { low: 400, medium: 1568, high: 6208 },
} as const

/** What a partial image of a stream costs more (the same guide). */
const partialTokens = 100
const promptMax = 32_000

type Verb = 'image_generation' | 'image_edit'

const paint = async (
  world: LiveWorld,
  verb: Verb,
  { uploads, requestId }: Exchange,
  body: Fields,
): Promise<Answer> => {
  const model = openaiModel(world, body, 'image')
  const prompt = text(body, 'prompt', { most: promptMax, required: true }) ?? ''
  const asked = choice(body, 'size', sizes)
  const size = asked === 'auto' ? '1024x1024' : asked
  const wanted = choice(body, 'quality', qualities)
  const quality = wanted === 'auto' ? 'medium' : wanted
  const count = number(body, 'n', { least: 1, most: 10, whole: true }) ?? 1
  const stream = flag(body, 'stream')
  const partials = number(body, 'partial_images', { least: 0, most: 3, whole: true }) ?? 0
  if ((body['output_format'] ?? 'png') !== 'png') throw unplayed('output_format', 'ask for png')
  if (stream && count > 1) throw unplayed('n', 'stream one image')
  const image = verb === 'image_edit' ? await imageOf(uploads) : null
  const [width = 0, height = 0] = size.split('x').map(Number)
  const pictures: string[] = []
  for (let index = 0; index < count; index++) {
    const seed = hexFrom(32, world.seed, model.id, prompt, image?.mark ?? '', String(index))
    pictures.push((await drawPng({ width, height }, seed)).toString('base64'))
  }
  const textTokens = world.newCounter.count(prompt)
  const imageTokens = image?.tokens ?? 0
  const output = count * tokensOf[size][quality] + (stream ? partials * partialTokens : 0)
  billVendor(world, {
    ...{ provider: 'openai', wire: verb.replace('_', '-'), id: requestId, requestId, model: model.servedAs },
    usage: {
      input_text_tokens: textTokens,
      input_image_tokens: imageTokens,
      output_image_tokens: output,
    },
    user: userOf(body),
  })
  const usage = {
    input_tokens: textTokens + imageTokens,
    input_tokens_details: { text_tokens: textTokens, image_tokens: imageTokens },
    output_tokens: output,
    output_tokens_details: { image_tokens: output, text_tokens: 0 },
    total_tokens: textTokens + imageTokens + output,
  }
  const head = { background: 'opaque', output_format: 'png', quality, size }
  const created = seconds(world)
  if (!stream) return { json: { created, ...head, data: pictures.map((b64_json) => ({ b64_json })), usage } }
  const shown = { ...head, b64_json: pictures[0], created_at: created }
  const event = (type: string, fields: object): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...shown, ...fields })}\n\n`
  return {
    events: [
      ...Array.from({ length: partials }, (_, partial_image_index) =>
        event(`${verb}.partial_image`, { partial_image_index }),
      ),
      event(`${verb}.completed`, { usage }),
    ],
  }
}

/** The picture that is edited: one a request. Its tokens are by the vendor's rule for gpt-image-1, the only one
 * that is published. */
const imageOf = async (
  uploads: ReadonlyMap<string, Upload>,
): Promise<{ readonly tokens: number; readonly mark: string }> => {
  const upload = uploads.get('image') ?? uploads.get('image[]')
  if (upload === undefined) {
    throw new Refusal(400, "Missing required parameter: 'image'.", {
      param: 'image',
      code: 'missing_required_parameter',
    })
  }
  const head = await readPng(upload.bytes)
  if (head === null) throw new Refusal(400, 'The sandbox edits PNG images.', { param: 'image' })
  const { tokens, high } = countImage({
    ...{ provider: 'openai', model: 'gpt-image-1', width: head.width, height: head.height },
  })
  return { tokens: tokens ?? high ?? 0, mark: await markOf(upload.bytes) }
}
