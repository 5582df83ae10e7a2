import { Buffer } from 'node:buffer'
import { OctroiError } from '../errors.ts'
import type { Io } from './command.ts'
import { openInput } from './input.ts'
import { formatJson } from './json.ts'
import { formatTable } from './table.ts'
import type { TokenCount } from './tokens-count.ts'

const megabyte = 1_048_576
const bytesMax = 256 * megabyte

/** Reads a file or standard input whole. Throws `bad_input` where there is no such file, or it is too large. */
export const readAll = async (
  file: string | undefined,
  io: Pick<Io, 'stdin' | 'bar'>,
): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of await openInput(file, io)) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > bytesMax) {
      throw new OctroiError(
        'bad_input',
        `The input is longer than ${bytesMax / megabyte} MiB. Count its parts.`,
      )
    }
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}

/** Prints a count. */
export const formatTokens = (
  count: TokenCount,
  { json, color }: { readonly json: boolean; readonly color: boolean },
): string => {
  if (json) return `${formatJson({ schema: 'octroi-tokens/1', ...count })}\n`
  const { tokens, low, high } = count
  return formatTable(
    [
      { title: 'tokens', align: 'right' },
      { title: 'at least', align: 'right' },
      { title: 'at most', align: 'right' },
      { title: 'class' },
      { title: 'rule' },
    ],
    [[shown(tokens), String(low), shown(high), count.class, count.rule]],
    { color },
  )
}

const shown = (tokens: number | null): string => (tokens === null ? '?' : String(tokens))
