/** How a detail level of a patch model shrinks an image: into a box, then to so many patches. Above
 * `refusedAbove` patches the vendor refuses the call. */
export type PatchLevel = {
  readonly boxPixels: number
  readonly patchesMax?: number
  readonly refusedAbove?: number
}

/** The families of rules. `tile`: OpenAI's tiles of 512 pixels. `patch`: OpenAI's patches of 32 pixels, times
 * `percent` hundredths; `other` is a second published reading. `patch28`: Claude's. `area`: Claude's earlier
 * one. `crop`: Gemini 2's. `budget`: Gemini 3's, whatever the size. */
export type ImageMethod =
  | {
      readonly kind: 'tile'
      readonly base: number
      readonly tile: number
      readonly shortSideMax: number
      /** What a high `input_fidelity` adds. */
      readonly fidelity?: { readonly square: number; readonly oblong: number }
      /** The least is this part of the count. */
      readonly leastDivisor?: number
    }
  | {
      readonly kind: 'patch'
      readonly percent: number
      readonly levels: {
        readonly high: PatchLevel
        readonly low?: PatchLevel
        readonly original?: PatchLevel
      }
      readonly auto: 'high' | 'original'
      readonly other?: { readonly percent?: number; readonly patchesMax?: number }
    }
  | { readonly kind: 'patch28'; readonly edgeMax: number; readonly tokensMax: number }
  | {
      readonly kind: 'area'
      readonly pixelsPerToken: number
      readonly edgeMax: number
      readonly tokensMax: number
    }
  | {
      readonly kind: 'crop'
      readonly tokensPerTile: number
      readonly tokensLow: number
      readonly tolerancePercent: number
    }
  | {
      readonly kind: 'budget'
      readonly levels: Readonly<Record<string, number>>
      readonly tolerancePercent: number
    }

/** How images are counted by some models in a period, half-open, of whole days. `models`: exact names, without
 * the date of a snapshot, or prefixes that end in `*`. `class`: what a count by this rule is at best.
 * `asOf`: the day the source was read, or the last of the month that it names. */
export type ImageRule = {
  readonly id: string
  readonly vendor: 'openai' | 'anthropic' | 'google'
  readonly models: readonly string[]
  readonly from?: string
  readonly to?: string
  readonly class: 'exact' | 'formula' | 'calibrated' | 'bound' | 'unknown'
  readonly confidence: 'high' | 'medium' | 'low'
  readonly source: string
  readonly asOf: string
  readonly method: ImageMethod
}

/** The sides of an image in pixels. No rule tells width from height. */
export type Sides = { readonly long: number; readonly short: number }

/** Tokens by a method, the interval of the readings there are, and the size it was shrunk to. `refused`: why
 * the vendor refuses the image; it then costs nothing. */
export type Counted = {
  readonly tokens: number
  readonly low: number
  readonly high: number
  readonly resized: Sides
  readonly refused?: string
}

type Tile = Extract<ImageMethod, { kind: 'tile' }>
type Patch = Extract<ImageMethod, { kind: 'patch' }>
type Round = (value: number) => number

/** Both vendors and their measurers disagree on how a scaled side is rounded; the first is the one taken. */
const roundings: readonly [Round, ...Round[]] = [Math.floor, Math.ceil, (value) => value]

/** Tiles of 512 pixels: into a square of 2048, the short side down to its limit, never up. The other side is
 * rounded down. */
export const countTiles = (sides: Sides, method: Tile, fidelity: 'low' | 'high'): Counted => {
  const [first, ...others] = roundings
  const taken = shrinkForTiles(sides, method, first)
  const readings = [taken, ...others.map((round) => shrinkForTiles(sides, method, round))].map(
    ({ long, short }) => method.base + method.tile * Math.ceil(long / 512) * Math.ceil(short / 512),
  )
  const shape = sides.long === sides.short ? 'square' : 'oblong'
  const extra = fidelity === 'high' ? (method.fidelity?.[shape] ?? 0) : 0
  return {
    tokens: (readings[0] ?? 0) + extra,
    low: Math.floor((Math.min(...readings) + extra) / (method.leastDivisor ?? 1)),
    high: Math.max(...readings) + extra,
    resized: taken,
  }
}

/** The most any image can have. */
export const tilesAtMost = (method: Tile, fidelity: 'low' | 'high'): number => {
  const tiles = (2048 / 512) * Math.ceil(method.shortSideMax / 512)
  return method.base + method.tile * tiles + (fidelity === 'high' ? (method.fidelity?.oblong ?? 0) : 0)
}

const shrinkForTiles = (sides: Sides, { shortSideMax }: Tile, round: Round): Sides => {
  const { long, short } = fitLong(sides, 2048, round)
  if (short <= shortSideMax) return { long, short }
  return { long: round((long * shortSideMax) / short), short: shortSideMax }
}

/** Shrinks an image so that its long side is at most so long. A side never vanishes. */
const fitLong = ({ long, short }: Sides, longMax: number, round: Round): Sides =>
  long <= longMax ? { long, short } : { long: longMax, short: Math.max(1, round((short * longMax) / long)) }

/** Patches of 32 pixels. The vendor warns that it may bill one token more or less. */
export const countPatches = (sides: Sides, method: Patch, level: PatchLevel): Counted => {
  const taken = shrinkForPatches(sides, level, Math.floor)
  const patches = patchesOf(taken)
  const readings = readingsOf(method, level).flatMap(({ percent, level: read }) =>
    [Math.floor, Math.ceil].map((round) => times(patchesOf(shrinkForPatches(sides, read, round)), percent)),
  )
  const refused = level.refusedAbove !== undefined && patches > level.refusedAbove
  return {
    tokens: times(patches, method.percent),
    low: Math.max(1, Math.min(...readings) - 1),
    high: Math.max(...readings) + 1,
    resized: taken,
    ...(refused ? { refused: `${patches} patches are more than ${level.refusedAbove}` } : {}),
  }
}

/** The most any image can have at a level, the vendor's one token more included. */
export const patchesAtMost = (method: Patch, level: PatchLevel): number =>
  Math.max(
    ...readingsOf(method, level).map(({ percent, level: { boxPixels, patchesMax, refusedAbove } }) => {
      const inBox = Math.ceil(boxPixels / 32) ** 2
      return times(Math.min(inBox, patchesMax ?? inBox, refusedAbove ?? inBox), percent) + 1
    }),
  )

const readingsOf = (
  { percent, other }: Patch,
  level: PatchLevel,
): readonly { readonly percent: number; readonly level: PatchLevel }[] => {
  if (other === undefined) return [{ percent, level }]
  const patchesMax = other.patchesMax ?? level.patchesMax
  const second = { ...level, ...(patchesMax === undefined ? {} : { patchesMax }) }
  return [
    { percent, level },
    { percent: other.percent ?? percent, level: second },
  ]
}

const times = (patches: number, percent: number): number => Math.ceil((patches * percent) / 100)

const patchesOf = ({ long, short }: Sides): number => Math.ceil(long / 32) * Math.ceil(short / 32)

const shrinkForPatches = (sides: Sides, level: PatchLevel, round: Round): Sides => {
  const fitted = fitLong(sides, level.boxPixels, round)
  if (level.patchesMax === undefined || patchesOf(fitted) <= level.patchesMax) return fitted
  const scale = Math.sqrt((1024 * level.patchesMax) / (fitted.long * fitted.short))
  const whole = (side: number): number => Math.floor((side * scale) / 32) / ((side * scale) / 32)
  const smaller = scale * Math.min(whole(fitted.long), whole(fitted.short))
  // One side is now a whole number of patches, which a float may miss by a hair.
  const shrink = (side: number): number => Math.max(1, Math.floor(side * smaller + 1e-6))
  return { long: shrink(fitted.long), short: shrink(fitted.short) }
}

/** Patches of 28 pixels: the largest size whose long side, filled up to whole patches, and whose number of
 * patches are within the limits. */
export const countPatches28 = (
  sides: Sides,
  limits: { readonly edgeMax: number; readonly tokensMax: number },
): Counted => {
  const resized = shrinkForPatches28(sides, limits)
  const tokens = patches28Of(resized)
  return { tokens, low: tokens, high: tokens, resized, ...refusedByClaude(sides) }
}

/** The area of the shrunk image. Measurements of that time show patches of 28 pixels: the interval has both. */
export const countArea = (
  sides: Sides,
  limits: { readonly pixelsPerToken: number; readonly edgeMax: number; readonly tokensMax: number },
): Counted => {
  const resized = shrinkForPatches28(sides, limits)
  const tokens = Math.ceil((resized.long * resized.short) / limits.pixelsPerToken)
  const patches = patches28Of(resized)
  return {
    tokens,
    low: Math.min(tokens, patches),
    high: Math.max(tokens, patches),
    resized,
    ...refusedByClaude(sides),
  }
}

/** The most by area: patches of 28 pixels hold 784 each. */
export const areaAtMost = (limits: { readonly pixelsPerToken: number; readonly tokensMax: number }): number =>
  Math.max(limits.tokensMax, Math.ceil((limits.tokensMax * 784) / limits.pixelsPerToken))

const patches28Of = ({ long, short }: Sides): number => Math.ceil(long / 28) * Math.ceil(short / 28)

const shrinkForPatches28 = (
  sides: Sides,
  { edgeMax, tokensMax }: { readonly edgeMax: number; readonly tokensMax: number },
): Sides => {
  const at = (long: number): Sides => ({
    long,
    short: Math.max(1, halfEven((sides.short * long) / sides.long)),
  })
  const fits = (size: Sides): boolean =>
    Math.ceil(size.long / 28) * 28 <= edgeMax && patches28Of(size) <= tokensMax
  if (fits(sides)) return sides
  let fitting = 1
  let tooLong = sides.long
  while (tooLong - fitting > 1) {
    const middle = Math.floor((fitting + tooLong) / 2)
    if (fits(at(middle))) fitting = middle
    else tooLong = middle
  }
  return at(fitting)
}

const halfEven = (value: number): number => {
  const below = Math.floor(value)
  if (value - below !== 0.5) return Math.round(value)
  return below % 2 === 0 ? below : below + 1
}

const refusedByClaude = ({ long }: Sides): { readonly refused?: string } =>
  long > 8000 ? { refused: `a side of ${long} pixels is more than 8000` } : {}

/** Tiles whose unit follows the short side. The interval has the reading of tiles of 768 pixels as well. */
export const countCrops = (
  { long, short }: Sides,
  { tokensPerTile }: { readonly tokensPerTile: number },
): Counted => {
  const unit = Math.min(768, Math.max(256, Math.floor(short / 1.5)))
  const grid = (edge: number): number => tokensPerTile * Math.ceil(long / edge) * Math.ceil(short / edge)
  const tokens = long <= 384 ? tokensPerTile : grid(unit)
  const readings = [tokens, grid(768)]
  return { tokens, low: Math.min(...readings), high: Math.max(...readings), resized: { long, short } }
}

/** A stated budget that is approximate. A small image may take less of it. */
export const countBudget = (tokens: number, tolerancePercent: number, resized: Sides): Counted => ({
  tokens,
  low: 1,
  high: budgetAtMost(tokens, tolerancePercent),
  resized,
})

/** The most of an approximate budget. */
export const budgetAtMost = (tokens: number, tolerancePercent: number): number =>
  Math.ceil((tokens * (100 + tolerancePercent)) / 100)
