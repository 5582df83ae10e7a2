/** Text that is HTML already. Only `html` and `raw` make it, so that whatever else is put into a page is escaped. */
export type Html = { readonly html: string }

type Part = Html | string | number | null | readonly (Html | string | null)[]

/** HTML as a template: every value is escaped, but for what is HTML already; null is nothing, a list is put together. */
export const html = (texts: TemplateStringsArray, ...parts: readonly Part[]): Html => ({
  html: texts.map((text, index) => text + writtenPart(parts[index] ?? null)).join(''),
})

/** A text of our own, as HTML. Never for what comes from outside. */
export const raw = (text: string): Html => ({ html: text })

/** A text as it stands in HTML, in an attribute or between tags. Control characters, which no HTML may have, and marks that
 * turn the direction of what follows become U+FFFD. */
const escaped = (text: string): string =>
  text
    .replaceAll(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu, '\uFFFD')
    .replaceAll(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)

const writtenPart = (part: Part): string => {
  if (part === null) return ''
  if (typeof part === 'string') return escaped(part)
  if (typeof part === 'number') return String(part)
  if ('html' in part) return part.html
  return part.map(writtenPart).join('')
}
