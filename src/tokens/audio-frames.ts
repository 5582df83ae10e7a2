/** Finds how long the MPEG frames in these bytes can last at most. From the first byte behind the tags on frames are
 * followed as long as each ends where the next of its kind begins, as every decoder does; where that breaks off,
 * decoders differ, and of all ways to choose frames that do not overlap in the rest the longest is taken. No header
 * of the whole (Xing, VBRI, a stated length) is trusted. Frames of a free bit rate are none, as for the decoders
 * in use. Each call of what it returns works for less than a millisecond; null until it is done, then seconds. */
export const longestFrames = (audio: Uint8Array): (() => number | null) => {
  let followed = endOfTags(audio)
  let kind: number | null = null
  let ticks = 0
  let rest: (() => number | null) | null = null
  return () => {
    for (let step = 0; rest === null && step < stepFrames; step += 1) {
      const frame = frameAt(audio, followed)
      const [ownKind, isPlain] = kindAt(audio, followed)
      if (frame === null || !isPlain || (kind !== null && kind !== ownKind)) {
        rest = longestChoice(audio, followed)
        break
      }
      kind = ownKind
      ticks += frame.ticks
      followed += frame.bytes
    }
    const found = rest?.() ?? null
    return found === null ? null : (ticks + found) / ticksPerSecond
  }
}

/** Of all frames from `start` on that do not overlap, the longest choice, in ticks: read from the end, it is for each
 * byte that of the next one, or the frame that begins here and the choice behind it. What looks like a frame and is
 * none lengthens it. */
const longestChoice = (audio: Uint8Array, start: number): (() => number | null) => {
  // Only as far ahead as a frame reaches is remembered.
  const longest = new Float64Array(ringBytes)
  let at = audio.length
  let ticks = 0
  return () => {
    const until = Math.max(start, at - stepBytes)
    while (at > until) {
      at -= 1
      const frame = audio[at] === 0xff ? frameAt(audio, at) : null
      if (frame !== null) {
        const next = at + frame.bytes
        ticks = Math.max(ticks, frame.ticks + (next < audio.length ? (longest[next % ringBytes] ?? 0) : 0))
      }
      longest[at % ringBytes] = ticks
    }
    return at > start ? null : ticks
  }
}

const frameAt = (audio: Uint8Array, at: number): Frame | null => {
  const second = audio[at + 1] ?? 0
  if (audio[at] !== 0xff || second < 0xe0) return null
  return frames[(second - 0xe0) * 256 + (audio[at + 2] ?? 0)] ?? null
}

/** Version, layer and sampling rate, which all frames of a sound share; and whether the header has nothing that some
 * decoders refuse (the emphasis that is reserved). */
const kindAt = (audio: Uint8Array, at: number): readonly [number, boolean] => [
  ((audio[at + 1] ?? 0) & 0x1e) * 256 + ((audio[at + 2] ?? 0) & 0x0c),
  ((audio[at + 3] ?? 0) & 3) !== 2,
]

/** The longest a byte of MPEG can last, in seconds: 8 kbit/s at 11,025 Hz and 22,050 Hz, whose frames are cut to
 * whole bytes (52 for 576 samples of 11,025 a second). */
export const mpegByteSecondsMax = 576 / 11_025 / 52

/** The longest frame: 576 samples at 8,000 Hz, or 1,152 at 16,000. */
export const mpegFrameSecondsMax = 0.072

/** Where the tags before the first frame end (id3.org, ID3v2.4: ten bytes, the last four of which say in seven
 * bits each how many follow). One that runs past the end, or is none by its own rules, is not passed over. */
const endOfTags = (audio: Uint8Array): number => {
  let at = 0
  while (audio[at] === 0x49 && audio[at + 1] === 0x44 && audio[at + 2] === 0x33) {
    const size = [6, 7, 8, 9].map((place) => audio[at + place] ?? 0xff)
    if (audio[at + 3] === 0xff || audio[at + 4] === 0xff || size.some((byte) => byte > 0x7f)) return at
    const next = at + 10 + size.reduce((sum, byte) => sum * 128 + byte, 0)
    if (next > audio.length) return at
    at = next
  }
  return at
}

const stepFrames = 8 * 1024
const stepBytes = 32 * 1024
const ringBytes = 4096

/** The least number that every sampling rate divides: a sample lasts a whole number of ticks. */
const ticksPerSecond = 14_112_000

type Frame = { readonly bytes: number; readonly ticks: number }

/** Bit rates in kbit/s (ISO/IEC 11172-3, 2.4.2.3, and 13818-3 for the lower sampling rates), by index from one. */
const rates = {
  first1: [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  first2: [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  first3: [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  lower1: [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  lower23: [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
} as const

const samplingRates = [44_100, 48_000, 32_000]

/** The frame that a header describes by its second and third byte: of MPEG 1, 2 or 2.5, in one of three layers. */
const frameOf = (second: number, third: number): Frame | null => {
  const version = (second >> 3) & 3
  const layer = 4 - ((second >> 1) & 3)
  const sampling = samplingRates[(third >> 2) & 3]
  if (version === 1 || layer === 4 || sampling === undefined) return null
  const isFirst = version === 3
  const table = isFirst
    ? [rates.first1, rates.first2, rates.first3][layer - 1]
    : layer === 1
      ? rates.lower1
      : rates.lower23
  const rate = table?.[(third >> 4) - 1]
  if (rate === undefined) return null
  const hertz = sampling / (isFirst ? 1 : version === 2 ? 2 : 4)
  const samples = layer === 1 ? 384 : layer === 3 && !isFirst ? 576 : 1152
  const slotBytes = layer === 1 ? 4 : 1
  const slots = Math.floor((samples * rate * 1000) / 8 / slotBytes / hertz) + ((third >> 1) & 1)
  return { bytes: slots * slotBytes, ticks: (samples * ticksPerSecond) / hertz }
}

/** Every header with its eleven bits of one, by its second and third byte. */
const frames: readonly (Frame | null)[] = Array.from({ length: 0x2000 }, (_, index) =>
  frameOf(0xe0 + (index >> 8), index & 0xff),
)
