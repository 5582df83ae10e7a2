import { openRerateText } from '../gateway/reporting/rerate-text.ts'
import type { Io } from './command.ts'
import { formatJson } from './json.ts'
import type { FolderRerate } from './rerate-run.ts'

export { agreesWith } from '../gateway/reporting/rerate-text.ts'
export { rerateTable, shownMax } from './rerate-table.ts'

/** Writes a re-rating as JSON while it is made. */
export const openRerateJson = (asked: FolderRerate, io: Pick<Io, 'out' | 'drained'>) =>
  openRerateText(asked, asked.correction, {
    format: (value, isLine) => formatJson(value, { indent: isLine ? 0 : 2 }),
    write: async (text) => {
      io.out(text)
      await io.drained?.()
    },
  })
