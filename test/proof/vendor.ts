import { get_encoding } from 'tiktoken'

/** A vendor of its own, for tests: what it would bill for a chat request, by the published rules and as much as
 * they allow. It shares nothing with the counting that it judges. */

/** A part of a message as the test makes it, and what only the vendor knows of it: an address has a size, a
 * document a text. */
export type MadePart = {
  readonly part: object
  readonly bills: (model: ImageRule) => number
  readonly sound: number
}

/** `tile`: OpenAI's guide to vision, a base and so much for each 512 px tile of an image shrunk to 2,048 px and
 * its short side to 768. `patch`: 32 px patches of an image shrunk to
 * 2,048 px, at most so many, times a factor. */
export type ImageRule =
  | { readonly kind: 'tile'; readonly base: number; readonly tile: number }
  | { readonly kind: 'patch'; readonly patchesMax: number; readonly factor: number }

const encoding = get_encoding('o200k_base')
const tokensOf = (text: string): number => encoding.encode_ordinary(text).length

/** Three tokens around each message, its role, its name and one, and three before the answer (OpenAI cookbook,
 * "How to count tokens with tiktoken"). */
export const textTokens = (
  messages: readonly { role: string; name?: string; texts: readonly string[] }[],
): number =>
  messages.reduce((sum, { role, name, texts }) => {
    const named = name === undefined ? 0 : tokensOf(name) + 1
    return sum + 3 + tokensOf(role) + named + texts.reduce((inner, text) => inner + tokensOf(text), 0)
  }, 3)

/** A namespace of TypeScript types (the same cookbook), and what models add for having any tool. */
export const toolTokens = (
  tools: readonly { name: string; description: string; field: string }[],
): number => {
  if (tools.length === 0) return 0
  const types = tools.map(
    ({ name, description, field }) =>
      `// ${description}\ntype ${name} = (_: {\n${field}?: string,\n}) => any;\n`,
  )
  const text = `namespace functions {\n\n${types.join('\n')}\n} // namespace functions`
  return tokensOf(text) + 9 + 16
}

/** A schema as its JSON. */
export const schemaTokens = (schema: object): number => tokensOf(JSON.stringify(schema))

export const imageTokens = (
  { width, height, detail }: { width: number; height: number; detail: string | undefined },
  rule: ImageRule,
): number => {
  const inSquare = Math.min(1, 2048 / Math.max(width, height))
  if (rule.kind === 'patch') {
    const [across, down] = [(width * inSquare) / 32, (height * inSquare) / 32]
    const patches = (scale: number) => Math.ceil(across * scale) * Math.ceil(down * scale)
    const scale = Math.sqrt(rule.patchesMax / (across * down))
    const whole = [across * scale, down * scale].map((side) => Math.floor(side) / side)
    const taken = patches(1) <= rule.patchesMax ? patches(1) : patches(scale * Math.min(...whole))
    return Math.ceil(Math.min(Math.max(taken, 1), rule.patchesMax) * rule.factor)
  }
  if (detail === 'low') return rule.base
  const scale = inSquare * Math.min(1, 768 / (Math.min(width, height) * inSquare))
  const tiles = [width, height].map((side) => Math.ceil(Math.floor(side * scale) / 512))
  return rule.base + rule.tile * (tiles[0] ?? 0) * (tiles[1] ?? 0)
}

/** A token each tenth of a second, and two around it (OpenAI's guide to the costs of realtime). */
export const soundTokens = (seconds: number): number => Math.ceil(seconds * 10) + 2

/** The head of a PNG and some bytes. */
export const png = (width: number, height: number): string => {
  const head = Buffer.from('89504e470d0a1a0a0000000d494844520000000000000000080200000000000000', 'hex')
  head.writeUInt32BE(width, 16)
  head.writeUInt32BE(height, 20)
  return `data:image/png;base64,${Buffer.concat([head, Buffer.alloc(100)]).toString('base64')}`
}

/** Samples of 16 bits, one channel. `stated`: what the header says of their bytes. */
export const wav = ({ rate, samples, stated }: { rate: number; samples: number; stated: number }): string => {
  const head = Buffer.alloc(44)
  head.write('RIFF', 0, 'latin1')
  head.writeUInt32LE(stated + 36, 4)
  head.write('WAVEfmt ', 8, 'latin1')
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(rate, 24)
  head.writeUInt32LE(rate * 2, 28)
  head.writeUInt16LE(2, 32)
  head.writeUInt16LE(16, 34)
  head.write('data', 36, 'latin1')
  head.writeUInt32LE(stated, 40)
  return Buffer.concat([head, Buffer.alloc(samples * 2)]).toString('base64')
}

/** Frames of MPEG 2 layer 3: 576 samples at 24,000 Hz are 0.024 s, and have 24 bytes at 8 kbit/s. */
export const mp3 = (frames: number): string => {
  const frame = Buffer.alloc(24)
  frame.set([0xff, 0xf3, 0x14, 0x64])
  return Buffer.concat(Array.from({ length: frames }, () => frame)).toString('base64')
}
export const mp3FrameSeconds = 0.024
