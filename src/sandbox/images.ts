import { checkNames, choice, number, text, userOf, withNumbers } from './arguments.ts'
import { keep } from './kept.ts'
import type { ImageObject } from './objects.ts'
import { drawPng, type PngHead, readPng } from './png.ts'
import { hexFrom, markOf, randomFrom } from './random.ts'
import { Refusal } from './refusal.ts'
import { replyPieces } from './replies.ts'
import type { Place } from './state.ts'
import {
  type BytesAnswer,
  bill,
  type Exchange,
  type Fields,
  otherModel,
  seconds,
  type Upload,
  type WireRoute,
  type World,
} from './world.ts'

/** Images of November 2023: DALL-E 2 and 3 draw, DALL-E 2 edits and varies. What is drawn is a pattern of the
 * size that was asked for, a real PNG; a URL leads back here and lasts an hour. */
export const images = (world: World): readonly WireRoute[] => [
  {
    method: 'POST',
    path: '/v1/images/generations',
    family: 'images',
    handle: (exchange) => generate(world, exchange),
  },
  {
    method: 'POST',
    path: '/v1/images/edits',
    family: 'images',
    form: true,
    handle: (exchange) => edit(world, exchange),
  },
  {
    method: 'POST',
    path: '/v1/images/variations',
    family: 'images',
    form: true,
    handle: (exchange) => vary(world, exchange),
  },
  // Where the vendor's own links led, at another host: `/private/org-.../user-.../img-....png`.
  {
    method: 'GET',
    path: '/private/:organization/:user/:image',
    family: 'images',
    open: true,
    handle: ({ params }) => fetchImage(world, params['image'] ?? ''),
  },
]

const sizes = ['1024x1024', '256x256', '512x512', '1024x1792', '1792x1024'] as const
type Size = (typeof sizes)[number]

/** What each model draws, and how long its prompts may be, in characters: API description 2.0.0. */
const painters = {
  'dall-e-2': { sizes: ['1024x1024', '256x256', '512x512'], promptMax: 1000, imagesMax: 10 },
  'dall-e-3': { sizes: ['1024x1024', '1024x1792', '1792x1024'], promptMax: 4000, imagesMax: 1 },
} as const satisfies Record<string, { sizes: readonly Size[]; promptMax: number; imagesMax: number }>
type Painter = keyof typeof painters

const generationFields = ['model', 'prompt', 'n', 'quality', 'response_format', 'size', 'style', 'user']

const generate = async (world: World, { body, ...exchange }: Exchange) => {
  checkNames(body, generationFields)
  const model = painterOf(world, body)
  const prompt = promptOf(body, painters[model].promptMax)
  const order = orderOf(body, model)
  const quality = choice(body, 'quality', ['standard', 'hd'])
  const style = choice(body, 'style', ['vivid', 'natural'])
  // The vendor documents quality and style for DALL-E 3 alone; of DALL-E 2 they change nothing.
  const third = model === 'dall-e-3'
  return draw(world, exchange, {
    wire: 'image-generations',
    model,
    ...order,
    subject: third ? [prompt, quality, style] : [prompt],
    attributes: third ? { size: order.size, quality } : { size: order.size },
    revised: third ? revision(world, prompt, style) : null,
  })
}

const editFields = ['image', 'prompt', 'mask', 'model', 'n', 'size', 'response_format', 'user']

const edit = async (world: World, { body: form, uploads, ...exchange }: Exchange) => {
  const body = withNumbers(form, ['n'])
  checkNames(body, editFields)
  const model = onlySecond(painterOf(world, body))
  const image = await squareImage(uploads.get('image'), 'image')
  const prompt = promptOf(body, painters[model].promptMax)
  const order = orderOf(body, model)
  const masked = uploads.get('mask')
  if (masked === undefined) checkTransparent(image.head)
  else {
    const mask = await squareImage(masked, 'mask')
    checkTransparent(mask.head)
    if (mask.head.width !== image.head.width) {
      throw new Refusal(400, 'The mask and the image must have the same size.', { param: 'mask' })
    }
  }
  return draw(world, exchange, {
    wire: 'image-edits',
    model,
    ...order,
    subject: ['edit', prompt, image.mark],
    attributes: { size: order.size },
    revised: null,
  })
}

const variationFields = ['image', 'model', 'n', 'size', 'response_format', 'user']

const vary = async (world: World, { body: form, uploads, ...exchange }: Exchange) => {
  const body = withNumbers(form, ['n'])
  checkNames(body, variationFields)
  const model = onlySecond(painterOf(world, body))
  const image = await squareImage(uploads.get('image'), 'image')
  const order = orderOf(body, model)
  return draw(world, exchange, {
    wire: 'image-variations',
    model,
    ...order,
    subject: ['variation', image.mark],
    attributes: { size: order.size },
    revised: null,
  })
}

const painterOf = (world: World, body: Fields): Painter => {
  const { id } = otherModel(world, { model: body['model'] ?? 'dall-e-2' }, 'images')
  return id === 'dall-e-3' ? id : 'dall-e-2'
}

/** Only DALL-E 2 edits and varies (API description 2.0.0). The words: openai-python issue 1844, of later models. */
const onlySecond = (model: Painter): 'dall-e-2' => {
  if (model === 'dall-e-2') return model
  throw new Refusal(400, `Invalid value: '${model}'. Value must be 'dall-e-2'.`, {
    param: 'model',
    code: 'invalid_value',
  })
}

const promptOf = (body: Fields, most: number): string =>
  text(body, 'prompt', { least: 1, most, required: true }) ?? ''

type Order = {
  readonly size: Size
  readonly count: number
  readonly format: 'url' | 'b64_json'
  readonly user: string | null
}

/** Size: chat_gpt_sdk issue 93, 2024-01-31. Number: as notebooks that met it print it. */
const orderOf = (body: Fields, model: Painter): Order => {
  const size = choice(body, 'size', sizes)
  const known: readonly Size[] = painters[model].sizes
  if (!known.includes(size)) {
    throw new Refusal(400, 'The size is not supported by this model.', { code: 'invalid_size' })
  }
  const count = number(body, 'n', { least: 1, most: 10, whole: true }) ?? 1
  if (count > painters[model].imagesMax) throw new Refusal(400, 'You must provide n=1 for this model.')
  return { size, count, format: choice(body, 'response_format', ['url', 'b64_json']), user: userOf(body) }
}

type Drawing = Order & {
  readonly wire: string
  readonly model: Painter
  readonly subject: readonly string[]
  readonly attributes: Readonly<Record<string, string>>
  readonly revised: string | null
}

/** Every image is drawn, kept where it has a URL, and billed. */
const draw = async (
  world: World,
  { requestId, origin }: Pick<Exchange, 'requestId' | 'origin'>,
  drawing: Drawing,
) => {
  const { model, size, count, format, subject, revised } = drawing
  const data: unknown[] = []
  for (let index = 0; index < count; index++) {
    const seed = hexFrom(32, world.seed, model, ...subject, String(index))
    data.push({
      ...(revised !== null && { revised_prompt: revised }),
      ...(format === 'url'
        ? { url: addressOf(world, origin, keepImage(world, { size, seed })) }
        : { b64_json: (await drawPng(sidesOf(size), seed)).toString('base64') }),
    })
  }
  bill(world, {
    wire: drawing.wire,
    id: requestId,
    requestId,
    model,
    user: drawing.user,
    usage: { image: count },
    attributes: drawing.attributes,
  })
  return { json: { created: seconds(world), data } }
}

const sidesOf = (size: Size): { width: number; height: number } => {
  const [width, height] = size.split('x').map(Number)
  return { width: width ?? 0, height: height ?? 0 }
}

/** DALL-E 3 tells what it made of a prompt. */
const revision = (world: World, prompt: string, style: string): string => {
  const random = randomFrom(world.seed, 'revision', style, prompt)
  const added = replyPieces(random.whole({ least: 15, most: 45 }), random).join('')
  return `${prompt.trim().slice(0, 500)}. ${added}`
}

/** How long a URL lasts. */
const lastsSeconds = 3600

const imagePlace: Place<'image'> = { kind: 'image', parent: null }

/** Of an image with a URL, what draws it again is kept, and not its bytes. */
const keepImage = (world: World, { size, seed }: { size: Size; seed: string }): ImageObject => {
  const image: ImageObject = {
    id: `${world.newId('img-')}.png`,
    object: 'image',
    created_at: seconds(world),
    size,
    seed,
  }
  keep(world, imagePlace, image)
  return image
}

const addressOf = (world: World, origin: string, image: ImageObject): string => {
  const ends = new Date((image.created_at + lastsSeconds) * 1000).toISOString().replace('.000', '')
  const query = new URLSearchParams({ se: ends, sp: 'r', rsct: 'image/png' })
  return `${origin}/private/${world.profile.organization}/user-sandbox/${image.id}?${query}`
}

/** As a blob store answers: what is not there, or no longer, is told in XML. */
const fetchImage = async (world: World, id: string): Promise<BytesAnswer> => {
  const image = world.state.find(imagePlace, id)
  if (image === null) return storeError(404, 'ResourceNotFound', 'The specified resource does not exist.')
  if (seconds(world) >= image.created_at + lastsSeconds) {
    return storeError(
      403,
      'AuthenticationFailed',
      'Server failed to authenticate the request. Signature not valid in the specified time frame.',
    )
  }
  return { bytes: await drawPng(sidesOf(image.size), image.seed), contentType: 'image/png' }
}

const storeError = (status: number, code: string, message: string): BytesAnswer => ({
  status,
  contentType: 'application/xml',
  bytes: Buffer.from(
    `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  ),
})

/** Of an upload, in bytes: "less than 4MB". */
const imageBytesMax = 4 * 2 ** 20

type SquareImage = { readonly head: PngHead; readonly mark: string }

/** chat_gpt_sdk issue 53, 2023-07-07: what is no whole PNG, and what is too large. Of one that is not square, in
 * the same manner: the vendor's documentation asks for a square. */
const squareImage = async (upload: Upload | undefined, param: string): Promise<SquareImage> => {
  if (upload === undefined) throw new Refusal(400, `'${param}' is a required property`)
  const { bytes } = upload
  const head = bytes.length < imageBytesMax ? await readPng(bytes) : null
  if (head === null) {
    throw new Refusal(400, 'Uploaded image must be a PNG and less than 4 MB.', { param })
  }
  if (head.width !== head.height) throw new Refusal(400, 'Uploaded image must be square.', { param })
  return { head, mark: await markOf(bytes) }
}

/** go-openai issue 188, 2023-03-21. */
const checkTransparent = ({ mode }: PngHead): void => {
  const modes = ['RGBA', 'LA', 'L']
  if (modes.includes(mode)) return
  const known = modes.map((each) => `'${each}'`).join(', ')
  throw new Refusal(400, `Invalid input image - format must be in [${known}], got ${mode}.`)
}
