import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { OctroiError } from '../errors.ts'
import { withBar } from './bar.ts'
import type { Io } from './command.ts'

/** Opens a file for reading; `-` or no name is standard input. A file that takes long to read shows how far it is,
 * where there is a terminal. Throws `bad_input` where there is no such file. */
export const openInput = async (
  file: string | undefined,
  io: Pick<Io, 'stdin' | 'bar'>,
): Promise<AsyncIterable<Uint8Array | string>> => {
  if (file === undefined || file === '-') return io.stdin
  const found = await stat(file).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error)
    throw new OctroiError(
      'bad_input',
      `Cannot read ${file}: ${reason}. Name a file, or - for standard input.`,
    )
  })
  if (found.isDirectory()) {
    throw new OctroiError('bad_input', `Cannot read ${file}: it is a folder. Name a file.`)
  }
  const stream: AsyncIterable<Uint8Array> = createReadStream(file)
  const { bar } = io
  return bar === undefined || !found.isFile()
    ? stream
    : withBar(stream, { size: found.size, show: bar, now: performance.now.bind(performance) })
}
