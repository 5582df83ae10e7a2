import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { openPriceBook, type PriceBook, type PriceFile } from '../pricing/price-book.ts'

/** The package's price files: `src/` and `dist/` alike stand one level below its root. */
const folder = new URL('../../prices/', import.meta.url)

/** The price files that come with the package. */
export const bundledPrices = async (): Promise<readonly PriceFile[]> =>
  (await readJson(folder)) as PriceFile[]

/** Where the price files of the package are. */
export const bundledPriceFiles = async (): Promise<readonly string[]> =>
  (await fileNames(folder)).map((name) => fileURLToPath(new URL(name, folder)))

/** The price book that comes with the package, checked and open. */
export const bundledBook = async (): Promise<PriceBook> => openPriceBook(await bundledPrices())

/** The model facts that come with the package, one value a file, as written. */
export const bundledModels = (): Promise<readonly unknown[]> => readJson(new URL('models/', folder))

/** The vendors' rate limits that come with the package, one value a file, as written. */
export const bundledLimits = (): Promise<readonly unknown[]> => readJson(new URL('limits/', folder))

/** What the vendors promise of their service, one value a file, as written. */
export const bundledPromises = (): Promise<readonly unknown[]> => readJson(new URL('promises/', folder))

const readJson = async (directory: URL): Promise<readonly unknown[]> =>
  Promise.all(
    (await fileNames(directory)).map(
      async (name): Promise<unknown> => JSON.parse(await readFile(new URL(name, directory), 'utf8')),
    ),
  )

/** The JSON files of a folder, but for the one that says what form the others have. */
const fileNames = async (directory: URL): Promise<readonly string[]> =>
  (await readdir(directory)).filter((name) => name.endsWith('.json') && name !== 'schema.json').sort()
