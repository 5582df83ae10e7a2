import type { BookUpdate } from './book-update.ts'
import { formatJson } from './json.ts'
import { formatTable } from './table.ts'

/** Says what an update took over, what it left out, and why. */
export const formatUpdate = (update: BookUpdate, { color }: { readonly color: boolean }): string => {
  const { from, format, out, rows, models, providers, newModels, added, changed, leftOut } = update
  const lines = [
    `${out}: ${rows} prices of ${models} models of ${providers} providers, from ${names[format]}, ${from}`,
    `${added} are new there, ${changed} have changed; ${newModels.length} models are not in the book`,
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
