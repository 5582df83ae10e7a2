import { counted } from './book-prices.ts'
import type { BookUpdate } from './book-update.ts'
import { formatJson } from './json.ts'
import { formatTable } from './table.ts'

/** Says what an update took over, what it left out, and why. */
export const formatUpdate = (update: BookUpdate, { color }: { readonly color: boolean }): string => {
  const { from, format, out, rows, models, providers, newModels, added, changed, leftOut } = update
  const lines = [
    `${out}: ${counted(rows, 'price')} of ${counted(models, 'model')} of ${counted(providers, 'provider')}, from ${names[format]}, ${from}`,
    `new there: ${added}; changed: ${changed}; models that are not in the book: ${newModels.length}`,
  ]
  const left = leftOut.map(({ what, why, models: left }) => [what, String(left.length), why])
  const table = left.length === 0 ? '' : `\nLeft out:\n${formatTable(columns, left, { color })}`
  return `${lines.map((line) => `${line}\n`).join('')}${table}`
}

const names = { octroi: 'a price file', litellm: "LiteLLM's model map", 'models-dev': 'models.dev' } as const

const columns = [{ title: 'what' }, { title: 'models', align: 'right' }, { title: 'why' }] as const

/** An update as `octroi book update --json` prints it. */
export const formatUpdateJson = (update: BookUpdate): string =>
  `${formatJson({ schema: 'octroi-book-update/1', ...update })}\n`
