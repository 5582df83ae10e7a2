import { OctroiError } from '../errors.ts'
import type { CheckedFile, Problem } from './book-problems.ts'
import { bundledPriceFiles } from './bundled.ts'
import type { Io } from './command.ts'
import { openInput } from './input.ts'
import { parseJsonText } from './json-text.ts'
import { overlayPaths } from './overlays.ts'

/** Reads price files to check: those named, or the book and the operator's own. What is not JSON is a problem, not an
 * error. Throws `bad_input` for a file that is not there. */
export const readPriceFiles = async (
  named: readonly string[],
  folder: string | undefined,
  io: Pick<Io, 'stdin'>,
): Promise<{ readonly files: readonly CheckedFile[]; readonly unread: readonly Problem[] }> => {
  const paths = named.length > 0 ? named : [...(await bundledPriceFiles()), ...(await overlayPaths(folder))]
  const files: CheckedFile[] = []
  const unread: Problem[] = []
  for (const path of paths) {
    const text = await textOf(path, io)
    try {
      files.push({ path, json: parseJsonText(text) })
    } catch (error) {
      if (!(error instanceof OctroiError)) throw error
      unread.push({ file: path, row: null, field: null, what: error.message })
    }
  }
  return { files, unread }
}

const textOf = async (path: string, io: Pick<Io, 'stdin'>): Promise<string> => {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of await openInput(path, io)) {
    text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}
