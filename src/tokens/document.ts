import { OctroiError } from '../errors.ts'
import { imageAtMost } from './image.ts'

/** How sure a count of a document is. `formula`: the vendor's published rule. `calibrated`: what the vendor
 * calls usual. `unknown`: nothing is published. */
export type DocumentClass = 'formula' | 'calibrated' | 'unknown'

/** The tokens of a document of so many pages. `high` is null where nothing bounds it, as the text of a page is
 * as long as it likes: `reason` says so. `usual`: the most by what the vendor calls usual. */
export type DocumentCount = {
  readonly tokens: number | null
  readonly low: number
  readonly usual: number | null
  readonly high: number | null
  readonly class: DocumentClass
  readonly rule: string
  readonly reason?: string
}

/** Counts the tokens of a PDF of so many pages. `detail`: Gemini's media resolution. Throws `bad_number` for a
 * number of pages that is not a whole one. */
export const countDocument = (document: {
  readonly provider: string
  readonly model: string
  readonly pages: number
  readonly detail?: string
}): DocumentCount => {
  const { provider, model, pages } = document
  if (!Number.isSafeInteger(pages) || pages < 0) {
    throw new OctroiError('bad_number', `A document cannot have ${pages} pages. Give a whole number.`)
  }
  if (provider === 'anthropic') return claudePages(model, pages)
  if (provider === 'google' && /^(?:models\/)?gemini-2\./.test(model)) return gemini2Pages(pages)
  if (provider === 'google' && /^(?:models\/)?gemini-3[.-]/.test(model)) {
    return gemini3Pages(pages, document.detail)
  }
  return {
    tokens: null,
    low: 0,
    usual: null,
    high: null,
    class: 'unknown',
    rule: `no rule is known for documents of ${provider}/${model}`,
    reason: 'The vendor publishes no figure for a page: its text and an image of it are counted.',
  }
}

/** Claude takes the text of a page, usually 1,500 to 3,000 tokens, and the page as an image (Anthropic guide to
 * PDF support, 2026; 2,780 to 3,182 were measured for one dense page, so the middle of the text and of the
 * interval stands for a page). */
const claudePages = (model: string, pages: number): DocumentCount => {
  const pageImage = imageAtMost({ provider: 'anthropic', model })
  return {
    tokens: pages * 3000,
    low: pages * 1500,
    usual: pageImage === null ? null : pages * (3000 + pageImage),
    high: null,
    class: 'calibrated',
    rule: 'anthropic-document/text-and-image',
    reason: 'The text of a page has no limit.',
  }
}

/** Gemini 2: 258 tokens a page (Gemini guide to documents, ai.google.dev). */
const gemini2Pages = (pages: number): DocumentCount => ({
  tokens: pages * 258,
  low: pages * 258,
  usual: pages * 258,
  high: null,
  class: 'formula',
  rule: 'google-document/258',
  reason: 'The text that a page holds as text may be counted as well, and has no limit.',
})

/** Gemini 3: 280 to 1,120 a page by resolution, 560 where none is asked for, and the text that the page holds
 * as text (Gemini media resolution guide, ai.google.dev, approximate maxima). */
const gemini3Budgets: Readonly<Record<string, number>> = {
  '': 560,
  unspecified: 560,
  default: 560,
  low: 280,
  medium: 560,
  high: 1120,
}

const gemini3Pages = (pages: number, detail = ''): DocumentCount => {
  const name = detail.toLowerCase().replace(/^media_resolution_/, '')
  const budget = (Object.hasOwn(gemini3Budgets, name) ? gemini3Budgets[name] : undefined) ?? 1120
  return {
    tokens: pages * budget,
    low: Math.min(pages, 1),
    usual: Math.ceil((pages * budget * 110) / 100),
    high: null,
    class: 'calibrated',
    rule: 'google-document/budget',
    reason: 'The text that a page holds as text is counted as well, and has no limit.',
  }
}
