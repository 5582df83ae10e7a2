import { OctroiError } from '../errors.ts'
import type { Instant } from '../time.ts'
import {
  areaAtMost,
  budgetAtMost,
  type Counted,
  countArea,
  countBudget,
  countCrops,
  countPatches,
  countPatches28,
  countTiles,
  type ImageMethod,
  type ImageRule,
  patchesAtMost,
  type Sides,
  tilesAtMost,
} from './image-methods.ts'
import { imageRuleOf } from './image-rules.ts'

/** An image that a model is shown: the model, and how closely it looks. `detail` is what the request says:
 * OpenAI's `detail` or `input_fidelity`, Gemini's media resolution; left out, it is the vendor's default.
 * Without `at` the newest rule counts. */
export type ShownImage = {
  readonly provider: string
  readonly model: string
  readonly at?: Instant
  readonly detail?: string
}

/** How sure a count is. `exact`: recorded usage of the vendor agrees to the token. `formula`: the vendor's
 * published rule. `calibrated`: an approximate figure of the vendor's. `bound`: it is this or less. `unknown`:
 * no rule is published. */
export type ImageClass = 'exact' | 'formula' | 'calibrated' | 'bound' | 'unknown'

/** The tokens of one image, without any text around it. `low` and `high` span the readings of the rule where
 * sources disagree. `tokens` and `high` are null where no rule is known, `tokens` also where the vendor refuses
 * the image (`refused` says why; it then costs nothing). `rule` is the id of the rule that counted. */
export type ImageCount = {
  readonly tokens: number | null
  readonly low: number
  readonly high: number | null
  readonly class: ImageClass
  readonly rule: string
  readonly refused?: string
}

/** Counts an image of known size, in pixels. Throws `bad_number` for a size that is not two positive whole
 * numbers. */
export const countImage = (
  image: ShownImage & { readonly width: number; readonly height: number },
): ImageCount => {
  const sides = sidesOf(image)
  const rule = imageRuleOf(image)
  if (rule === null) return unknownImage(image)
  const { details, known } = detailsOf(rule.method, image.detail)
  const counts = details.map((detail) => countBy(rule.method, sides, detail))
  const dearest = counts.reduce((most, count) => (count.tokens > most.tokens ? count : most))
  const { refused } = dearest
  if (refused !== undefined) {
    return { tokens: null, low: 0, high: 0, class: rule.class, rule: rule.id, refused }
  }
  const low = Math.min(...counts.map((count) => count.low))
  const high = Math.max(...counts.map((count) => count.high))
  return {
    tokens: known ? dearest.tokens : high,
    low: rule.class === 'unknown' ? 0 : low,
    high: rule.class === 'unknown' ? null : high,
    class: classOf(rule, { known, certain: low === high }),
    rule: rule.id,
  }
}

/** The most tokens any image can have, for one that cannot be seen before the call (a URL, a file's id); null
 * where no rule is known, or the rule has no limit. */
export const imageAtMost = (image: ShownImage): number | null => {
  const rule = imageRuleOf(image)
  if (rule === null || rule.class === 'unknown') return null
  let most = 0
  for (const detail of detailsOf(rule.method, image.detail).details) {
    const tokens = atMostBy(rule.method, detail)
    if (tokens === null) return null
    most = Math.max(most, tokens)
  }
  return most
}

const sidesOf = ({ width, height }: { readonly width: number; readonly height: number }): Sides => {
  for (const pixels of [width, height]) {
    if (!Number.isSafeInteger(pixels) || pixels < 1) {
      throw new OctroiError(
        'bad_number',
        `An image of ${width} x ${height} pixels does not exist. Give two positive whole numbers.`,
      )
    }
  }
  return { long: Math.max(width, height), short: Math.min(width, height) }
}

const unknownImage = ({ provider, model }: ShownImage): ImageCount => ({
  tokens: null,
  low: 0,
  high: null,
  class: 'unknown',
  rule: `no rule is known for images of ${provider}/${model}`,
})

const classOf = (
  rule: ImageRule,
  count: { readonly known: boolean; readonly certain: boolean },
): ImageClass => {
  if (rule.class === 'unknown') return 'unknown'
  if (!count.known) return 'bound'
  return rule.class === 'exact' && !count.certain ? 'formula' : rule.class
}

/** The names of the details of each family, the default first. */
const detailNames = (method: ImageMethod): Readonly<Record<string, string>> => {
  switch (method.kind) {
    case 'tile':
      return method.fidelity === undefined
        ? { '': 'high', auto: 'high', high: 'high', low: 'base' }
        : { '': 'low', low: 'low', high: 'high' }
    case 'patch': {
      const levels = Object.fromEntries(Object.keys(method.levels).map((level) => [level, level]))
      return { '': method.auto, auto: method.auto, ...levels }
    }
    case 'crop':
      return { '': 'high', unspecified: 'high', default: 'high', high: 'high', medium: 'high', low: 'low' }
    case 'budget': {
      const levels = Object.fromEntries(Object.keys(method.levels).map((level) => [level, level]))
      return { '': 'default', unspecified: 'default', ...levels }
    }
    default:
      return { '': '' }
  }
}

/** The details an image may be counted with: the one that was asked for, or all of them where the rule does
 * not know it. A vendor that has no details ignores it. */
const detailsOf = (
  method: ImageMethod,
  asked: string | undefined,
): { readonly details: readonly string[]; readonly known: boolean } => {
  const names = detailNames(method)
  const name = (asked ?? '').toLowerCase().replace(/^media_resolution_/, '')
  if (method.kind === 'patch28' || method.kind === 'area') return { details: [''], known: true }
  const detail = Object.hasOwn(names, name) ? names[name] : undefined
  if (detail !== undefined) return { details: [detail], known: true }
  return { details: [...new Set(Object.values(names))], known: false }
}

const countBy = (method: ImageMethod, sides: Sides, detail: string): Counted => {
  switch (method.kind) {
    case 'tile': {
      if (detail !== 'base') return countTiles(sides, method, fidelityOf(method, detail))
      const least = Math.floor(method.base / (method.leastDivisor ?? 1))
      return { tokens: method.base, low: least, high: method.base, resized: sides }
    }
    case 'patch':
      return countPatches(sides, method, levelOf(method, detail))
    case 'patch28':
      return countPatches28(sides, method)
    case 'area':
      return countArea(sides, method)
    case 'crop':
      return detail === 'low'
        ? countBudget(method.tokensLow, method.tolerancePercent, sides)
        : countCrops(sides, method)
    case 'budget':
      return countBudget(method.levels[detail] ?? 0, method.tolerancePercent, sides)
  }
}

const atMostBy = (method: ImageMethod, detail: string): number | null => {
  switch (method.kind) {
    case 'tile':
      return detail === 'base' ? method.base : tilesAtMost(method, fidelityOf(method, detail))
    case 'patch':
      return patchesAtMost(method, levelOf(method, detail))
    case 'patch28':
      return method.tokensMax
    case 'area':
      return areaAtMost(method)
    case 'crop':
      return detail === 'low' ? budgetAtMost(method.tokensLow, method.tolerancePercent) : null
    case 'budget':
      return budgetAtMost(method.levels[detail] ?? 0, method.tolerancePercent)
  }
}

type Method<Kind extends ImageMethod['kind']> = Extract<ImageMethod, { kind: Kind }>

const fidelityOf = ({ fidelity }: Method<'tile'>, detail: string): 'low' | 'high' =>
  fidelity !== undefined && detail === 'high' ? 'high' : 'low'

const levelOf = ({ levels }: Method<'patch'>, detail: string) =>
  (detail === 'low' ? levels.low : detail === 'original' ? levels.original : levels.high) ?? levels.high
