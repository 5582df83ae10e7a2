import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { OctroiError } from '../errors.ts'
import { readOverlayFiles } from '../pricing/overlays/overlay-file.ts'
import { type CorrectionFiles, type OpenedCorrection, openCorrection } from '../reports/rerate-correction.ts'
import { bundledPrices } from './bundled.ts'
import { parseJsonText } from './json-text.ts'
import { readOverlays } from './overlays.ts'

/** Opens the books that a folder is re-rated by, with a file of corrections where one is named. Throws what a bad file
 * deserves. */
export const readBooks = async (asked: {
  readonly correction: string | undefined
  readonly prices: string | undefined
  readonly folder: string
}): Promise<OpenedCorrection> => {
  const [bundled, overlays] = await Promise.all([bundledPrices(), readOverlays(asked.prices, asked.folder)])
  const correction = asked.correction === undefined ? null : await readCorrection(asked.correction)
  return openCorrection({ bundled, overlays, correction })
}

/** Reads a file of corrections. It is named by its own name and what is in it. */
const readCorrection = async (path: string): Promise<CorrectionFiles> => {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new OctroiError(
      'bad_input',
      `Cannot read ${path} (${error.code}). Name a file of corrected prices.`,
    )
  })
  const files = readOverlayFiles(parseJsonText(text))
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12)
  return { name: `${basename(path).replaceAll(';', ',')} ${hash}`, files }
}
