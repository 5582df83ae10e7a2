import type { Database } from '../database.ts'
import type { CallLife } from '../reading.ts'
import { type Day, type KeptSeal, openSeals, type SealLedger } from '../seal.ts'
import { isOfCallSql, pathOf, readDay } from './day-file.ts'
import { lifeOf } from './day-lives.ts'
import { type Duck, fileList, quoted, withDuck } from './duck.ts'

/** Finds a call that only a sealed file has, by its id; null where no file has it. `day` is where it is looked for first;
 * null where nothing tells. Throws `ledger_unavailable` where it is not found and a file is not there, or the file of
 * `day` was given up. */
export const findLife = async (
  database: Database,
  folder: string,
  { callId, day }: { readonly callId: string; readonly day: Day | null },
): Promise<CallLife | null> => {
  const seals = openSeals(database)
  const pruned = (await seals.list()).filter(({ isPruned }) => isPruned)
  if (pruned.length === 0) return null
  const first = pruned.filter((seal) => seal.day === day)
  const others = pruned.filter((seal) => seal.day !== day && seal.droppedAt === null).reverse()
  return withDuck({}, async (duck) => {
    let missing: unknown = null
    const there = (some: readonly KeptSeal[]): readonly string[] =>
      some.flatMap((seal) => {
        try {
          return pathOf(folder, seal)
        } catch (error) {
          missing ??= error
          return []
        }
      })
    for (const paths of [there(first), ...pagesOf(there(others))]) {
      const path = await fileWith(duck, paths, callId)
      const life = path === null ? null : await readLife(duck, seals, { path, callId })
      if (life !== null) return life
    }
    if (missing !== null) throw missing
    return null
  })
}

/** How many files are looked through together. */
const filesTogether = 32

const pagesOf = (paths: readonly string[]): readonly (readonly string[])[] =>
  Array.from({ length: Math.ceil(paths.length / filesTogether) }, (_, page) =>
    paths.slice(page * filesTogether, (page + 1) * filesTogether),
  )

const isCallSql = (callId: string): string => `${isOfCallSql} AND call_id = ${quoted(callId)}`

/** The file that has a call; null where none of them has. */
const fileWith = async (duck: Duck, paths: readonly string[], callId: string): Promise<string | null> => {
  if (paths.length === 0) return null
  const [found] = await duck.rows(
    `SELECT filename FROM read_parquet(${fileList(paths)}, filename = true) WHERE ${isCallSql(callId)} LIMIT 1`,
  )
  return found === undefined ? null : String(found['filename'])
}

const readLife = async (
  duck: Duck,
  seals: SealLedger,
  { path, callId }: { readonly path: string; readonly callId: string },
): Promise<CallLife | null> => {
  let found: CallLife | null = null
  for await (const groups of readDay(duck, path, await seals.columns(), isCallSql(callId))) {
    for (const group of groups) found ??= lifeOf(group)
  }
  return found
}
