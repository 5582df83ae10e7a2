import { randomBytes } from 'node:crypto'
import type { Database } from '../../ledger/database.ts'

/** End users by pseudonyms that were drawn by chance. What leads from a name to its pseudonym is one row under a keyed
 * hash of the name; when that is deleted, neither the name nor the pepper leads there any more. */
export type EndUsers = {
  /** The pseudonym of a name, the same each time until it is forgotten. Durable when it resolves. */
  readonly pseudonym: (name: string) => Promise<string>
  /** The pseudonym that a name has, or null. */
  readonly findEndUser: (name: string) => Promise<string | null>
  /** Deletes the way from a name to its pseudonym; what stands in the ledger stays, and is nobody's. False where there
   * was none. */
  readonly forgetEndUser: (name: string) => Promise<boolean>
}

/** Pseudonyms kept in memory; others are read from the disk. */
const cachedMax = 50_000

/** Opens the end users of a registry; `keyed` hashes a name. */
export const openEndUsers = (database: Database, keyed: (text: string) => string): EndUsers => {
  const cached = new Map<string, string>()
  const hashOf = (name: string): string => keyed(`end user ${name}`)
  return {
    pseudonym: async (name) => {
      const hash = hashOf(name)
      const known = cached.get(hash)
      if (known !== undefined) return known
      const fresh = randomBytes(12).toString('hex')
      const given = await database.call<string>('registry', 'nameEndUser', { hash, fresh })
      cached.set(hash, given)
      const oldest = cached.size > cachedMax ? cached.keys().next().value : undefined
      if (oldest !== undefined) cached.delete(oldest)
      return given
    },
    findEndUser: (name) => database.call('registry', 'findEndUser', hashOf(name)),
    forgetEndUser: async (name) => {
      const hash = hashOf(name)
      const forgotten = await database.call<boolean>('registry', 'forgetEndUser', hash)
      cached.delete(hash)
      return forgotten
    },
  }
}
