import { createHash } from 'node:crypto'
import type { Release, Reservation, Settlement } from '../../ledger/entry.ts'

/** A verb that the ledger could not take, and what it was to write. */
export type SpooledVerb =
  | { readonly verb: 'reserve'; readonly entry: Reservation }
  | { readonly verb: 'settle'; readonly entry: Settlement }
  | { readonly verb: 'release'; readonly entry: Release }

/** The call that a verb is about. */
export const callIdOf = (spooled: SpooledVerb): string =>
  spooled.verb === 'reserve' ? spooled.entry.call.id : spooled.entry.callId

/** Verbs as lines: the length of the JSON in bytes, its checksum, the JSON. A line begins anew also behind one that was
 * torn. */
export const writeLines = (verbs: readonly SpooledVerb[]): string =>
  verbs
    .map((spooled) => {
      const json = JSON.stringify(spooled, (_, value: unknown) => written(value))
      return `\n${Buffer.byteLength(json)} ${checksum(json)} ${json}\n`
    })
    .join('')

/** Reads lines in their order. `torn` counts those that are not whole. */
export const readLines = (
  text: string,
): { readonly verbs: readonly SpooledVerb[]; readonly torn: number } => {
  const lines = text.split('\n').filter((line) => line !== '')
  const verbs = lines.map(readLine).filter((read) => read !== null)
  return { verbs, torn: lines.length - verbs.length }
}

const readLine = (line: string): SpooledVerb | null => {
  const [, bytes, sum, json = ''] = /^(\d{1,9}) ([0-9a-f]{32}) (.*)$/.exec(line) ?? []
  if (Number(bytes) !== Buffer.byteLength(json) || checksum(json) !== sum) return null
  return JSON.parse(json, (_, value: unknown) => read(value)) as SpooledVerb
}

const checksum = (json: string): string => createHash('sha256').update(json).digest('hex').slice(0, 32)

/** JSON has no whole numbers of any size: they are texts behind one `=`, and texts that begin so have one more. */
const written = (value: unknown): unknown => {
  if (typeof value === 'bigint') return `=${value}`
  return typeof value === 'string' && value.startsWith('=') ? `=${value}` : value
}

const read = (value: unknown): unknown => {
  if (typeof value !== 'string' || !value.startsWith('=')) return value
  return value.startsWith('==') ? value.slice(1) : BigInt(value.slice(1))
}
