import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { OctroiError } from '../errors.ts'
import type { PriceFilePaths } from '../gateway/reporting/rerate-thread.ts'
import { mergeOverlay } from '../pricing/overlay.ts'
import { type OverlayFile, readOverlayFiles } from '../pricing/overlays/overlay-file.ts'
import { openPriceBook, type PriceBook, type PriceFile } from '../pricing/price-book.ts'
import { bundledPriceFiles, bundledPrices } from './bundled.ts'
import { parseJsonText } from './json-text.ts'

/** Where a gateway keeps what must survive, unless said. */
const dataFolder = 'octroi-data'

/** Where the operator's own prices are kept in a data folder. */
export const overlayFolder = (data = dataFolder): string => join(data, 'prices')

/** Opens the book that comes with the package with the operator's prices over it: those in `folder`, or where none is
 * named those in `prices` of the data folder, if it is there. Throws what a bad file deserves, naming the file. */
export const openBook = async (folder?: string, data?: string): Promise<PriceBook> =>
  openPriceBook(await readBookFiles(folder, data))

/** The files of that book, as they are written. */
export const readBookFiles = async (folder?: string, data?: string): Promise<readonly PriceFile[]> => {
  const [book, overlays] = await Promise.all([bundledPrices(), readOverlays(folder, data)])
  return mergeOverlay(book, overlays)
}

/** The operator's price files, in the order of their names. A folder that is named must be there. */
export const overlayPaths = async (folder?: string, data?: string): Promise<readonly string[]> => {
  const place = folder ?? overlayFolder(data)
  const names = await readdir(place).catch((error: NodeJS.ErrnoException) => {
    if (folder === undefined && error.code === 'ENOENT') return []
    throw new OctroiError(
      'bad_input',
      `The folder of prices ${place} cannot be read (${error.code}). Name one with --prices.`,
    )
  })
  return names
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(place, name))
}

/** Where all files of that book are. */
export const priceFilePaths = async (folder?: string, data?: string): Promise<PriceFilePaths> => {
  const [bundled, overlays] = await Promise.all([bundledPriceFiles(), overlayPaths(folder, data)])
  return { bundled, overlays }
}

/** The operator's price files read; of `except` none. */
export const readOverlays = async (
  folder?: string,
  data?: string,
  except?: string,
): Promise<readonly OverlayFile[]> => {
  const paths = (await overlayPaths(folder, data)).filter((path) => path !== except)
  const files = await Promise.all(
    paths.map(async (path) => {
      const text = await readFile(path, 'utf8')
      return named(path, () => readOverlayFiles(parseJsonText(text)))
    }),
  )
  return files.flat()
}

/** The same error, with the file it is of. */
const named = <Value>(path: string, read: () => Value): Value => {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof OctroiError)) throw error
    throw new OctroiError(error.code, `${path}: ${error.message}`, error.details)
  }
}
