import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import type { BilledCall } from './books.ts'
import type { Kinds } from './objects.ts'
import { type StandingState, standingOf, standingSchema, standingTables } from './standing-state.ts'

/** A page of a list, as the vendor pages: newest first unless asked otherwise, cut by ids. */
export type PageRequest = {
  readonly limit: number
  readonly order: 'asc' | 'desc'
  readonly after: string | null
  readonly before: string | null
}

export type Page<T> = { readonly data: readonly T[]; readonly hasMore: boolean }

/** What an object is filed under: its thread, its run, or nothing. */
export type Place<K extends keyof Kinds> = { readonly kind: K; readonly parent: string | null }

/** Objects that bear the id of a file, which is attached to several things. */
export type AttachmentKind = 'assistant_file' | 'message_file' | 'thread_file' | 'vector_store_file'

/** Everything the sandbox remembers, in a SQLite database of its own. */
export type State = StandingState & {
  readonly add: <K extends keyof Kinds>(place: Place<K>, object: Kinds[K], tokens?: number) => void
  readonly find: <K extends keyof Kinds>(place: Place<K>, id: string) => Kinds[K] | null
  readonly replace: <K extends keyof Kinds>(place: Place<K>, object: Kinds[K]) => void
  /** Removes the object and whatever is filed under it, with their contents. */
  readonly remove: (id: string) => void
  readonly page: <K extends keyof Kinds>(place: Place<K>, request: PageRequest) => Page<Kinds[K]>
  readonly every: <K extends keyof Kinds>(kind: K) => readonly Kinds[K][]
  /** All objects of a place, oldest first. */
  readonly listed: <K extends keyof Kinds>(place: Place<K>) => readonly Kinds[K][]
  /** The files attached in a place, oldest first, with their tokens. */
  readonly files: (
    place: Place<AttachmentKind>,
  ) => readonly { readonly id: string; readonly tokens: number }[]
  /** Takes a file away from where it is attached; the file itself stays. */
  readonly detach: (place: Place<AttachmentKind>, file: string) => void
  /** Takes a file away from everywhere, and says from which assistants. */
  readonly detachAll: (file: string) => readonly string[]
  /** How many objects are kept. */
  readonly count: () => number
  /** The tokens of the objects of a place, oldest first. */
  readonly tokens: (place: Place<keyof Kinds>) => readonly number[]
  /** Keeps the bytes of an object that was added. They go when it goes. */
  readonly keepContent: (id: string, content: Uint8Array) => void
  /** The bytes of an object; null when it has none. */
  readonly content: (id: string) => Uint8Array<ArrayBuffer> | null
  /** How many bytes are kept, of all objects. */
  readonly contentBytes: () => number
  /** Writes a billed call and gives it its number. */
  readonly bill: (call: Omit<BilledCall, 'number'>) => BilledCall
  readonly calls: () => readonly BilledCall[]
  /** How often this state was opened, this time included: no two openings make the same ids. */
  readonly opening: number
  /** Does all of the work or, when it throws, nothing of it. */
  readonly together: <T>(work: () => T) => T
  readonly close: () => void
}

const schema = `
  CREATE TABLE IF NOT EXISTS objects (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    parent TEXT,
    tokens INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS objects_by_place ON objects (parent, kind, sequence);
  CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (kind, sequence);
  CREATE TABLE IF NOT EXISTS contents (id TEXT PRIMARY KEY, content BLOB NOT NULL) STRICT;
  CREATE TRIGGER IF NOT EXISTS contents_go AFTER DELETE ON objects
    BEGIN DELETE FROM contents WHERE id = old.id; END;
  CREATE TABLE IF NOT EXISTS calls (number INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS openings (number INTEGER PRIMARY KEY AUTOINCREMENT) STRICT;
`

const tables = ['objects', 'contents', 'calls', 'openings', ...standingTables]

/** Opens the state in a file, or in memory without one. `reset` forgets what the file held. */
export const openState = ({ file, reset }: { file: string | null; reset: boolean }): State => {
  const database = new DatabaseSync(file ?? ':memory:')
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000;')
  if (reset) {
    for (const table of tables) database.exec(`DROP TABLE IF EXISTS ${table}`)
  }
  database.exec(schema + standingSchema)
  const opening = Number(database.prepare('INSERT INTO openings DEFAULT VALUES').run().lastInsertRowid)
  return {
    ...objectsOf(database),
    ...contentsOf(database),
    ...callsOf(database),
    ...standingOf(database),
    opening,
    close: () => database.close(),
  }
}

type ObjectVerbs =
  | 'add'
  | 'find'
  | 'replace'
  | 'remove'
  | 'page'
  | 'every'
  | 'listed'
  | 'files'
  | 'detach'
  | 'detachAll'
  | 'count'
  | 'tokens'
  | 'together'

const objectsOf = (database: DatabaseSync): Pick<State, ObjectVerbs> => {
  const insert = database.prepare(
    'INSERT INTO objects (id, kind, parent, tokens, body) VALUES (?, ?, ?, ?, ?)',
  )
  const byId = database.prepare('SELECT body FROM objects WHERE id = ? AND kind = ? AND parent IS ?')
  const update = database.prepare('UPDATE objects SET body = ? WHERE id = ? AND kind = ? AND parent IS ?')
  const removal = database.prepare(`
    WITH RECURSIVE gone (id) AS (
      VALUES (?) UNION SELECT objects.id FROM objects JOIN gone ON objects.parent = gone.id
    )
    DELETE FROM objects WHERE id IN (SELECT id FROM gone)`)
  const sequence = database.prepare('SELECT sequence FROM objects WHERE id = ?')
  const sizes = database.prepare(
    'SELECT tokens FROM objects WHERE parent IS ? AND kind = ? ORDER BY sequence',
  )
  const all = database.prepare('SELECT body FROM objects WHERE kind = ? ORDER BY sequence')
  const within = database.prepare(
    'SELECT body, tokens FROM objects WHERE parent IS ? AND kind = ? ORDER BY sequence',
  )
  const holders = database.prepare(
    "SELECT parent FROM objects WHERE id > ? AND id < ? AND kind = 'assistant_file' ORDER BY id",
  )
  const detachment = database.prepare('DELETE FROM objects WHERE id = ?')
  const detachments = database.prepare('DELETE FROM objects WHERE id > ? AND id < ?')
  const size = database.prepare('SELECT count(*) AS many FROM objects')
  const counted = (): number => Number(size.get()?.['many'])
  let many = counted()
  const pages = {
    asc: database.prepare(pageQuery('ASC')),
    desc: database.prepare(pageQuery('DESC')),
  }
  const rank = (place: Place<keyof Kinds>, id: string | null, otherwise: number): number => {
    const row = id === null ? undefined : sequence.get(keyOf(place, id))
    return row === undefined ? otherwise : Number(row['sequence'])
  }

  return {
    add: (place, object, tokens = 0) => {
      insert.run(keyOf(place, object.id), place.kind, place.parent, tokens, JSON.stringify(object))
      many += 1
    },
    find: <K extends keyof Kinds>(place: Place<K>, id: string) => {
      const row = byId.get(keyOf(place, id), place.kind, place.parent)
      return row === undefined ? null : bodyOf<Kinds[K]>(row)
    },
    replace: (place, object) => {
      update.run(JSON.stringify(object), keyOf(place, object.id), place.kind, place.parent)
    },
    remove: (id) => {
      many -= Number(removal.run(id).changes)
    },
    page: <K extends keyof Kinds>(place: Place<K>, request: PageRequest): Page<Kinds[K]> => {
      const { limit, order, after, before } = request
      const [above, below] = order === 'asc' ? [after, before] : [before, after]
      // The page before an object is the one next to it, so it is cut from that side.
      const backwards = before !== null && after === null
      const rows = pages[backwards === (order === 'asc') ? 'desc' : 'asc'].all(
        place.parent,
        place.kind,
        rank(place, above, 0),
        rank(place, below, Number.MAX_SAFE_INTEGER),
        limit + 1,
      )
      const data = rows.slice(0, limit).map((row) => bodyOf<Kinds[K]>(row))
      return { data: backwards ? data.reverse() : data, hasMore: rows.length > limit }
    },
    every: <K extends keyof Kinds>(kind: K) => all.all(kind).map((row) => bodyOf<Kinds[K]>(row)),
    listed: <K extends keyof Kinds>({ kind, parent }: Place<K>) =>
      within.all(parent, kind).map((row) => bodyOf<Kinds[K]>(row)),
    files: ({ kind, parent }) =>
      within.all(parent, kind).map((row) => ({
        id: bodyOf<{ readonly id: string }>(row).id,
        tokens: Number(row['tokens']),
      })),
    detach: (place, file) => {
      many -= Number(detachment.run(keyOf(place, file)).changes)
    },
    detachAll: (file) => {
      const range = [`${file} `, `${file}!`] as const
      const assistants = holders.all(...range).map((row) => String(row['parent']))
      many -= Number(detachments.run(...range).changes)
      return assistants
    },
    count: () => many,
    tokens: (place) => sizes.all(place.parent, place.kind).map((row) => Number(row['tokens'])),
    together: <T>(work: () => T): T => {
      database.exec('BEGIN')
      try {
        const result = work()
        database.exec('COMMIT')
        return result
      } catch (error) {
        database.exec('ROLLBACK')
        many = counted()
        throw error
      }
    },
  }
}

const attachmentKinds: ReadonlySet<string> = new Set<AttachmentKind>([
  'assistant_file',
  'message_file',
  'thread_file',
  'vector_store_file',
])

/** An attachment is kept under the file and what it is attached to: all of a file's lie between `FILE ` and
 * `FILE!`. Everything else is kept under its id. */
const keyOf = ({ kind, parent }: Place<keyof Kinds>, id: string): string =>
  attachmentKinds.has(kind) ? `${id} ${parent}` : id

const pageQuery = (direction: 'ASC' | 'DESC'): string =>
  `SELECT body FROM objects WHERE parent IS ? AND kind = ? AND sequence > ? AND sequence < ?
   ORDER BY sequence ${direction} LIMIT ?`

const contentsOf = (database: DatabaseSync): Pick<State, 'keepContent' | 'content' | 'contentBytes'> => {
  const insert = database.prepare('INSERT INTO contents (id, content) VALUES (?, ?)')
  const byId = database.prepare('SELECT content FROM contents WHERE id = ?')
  const size = database.prepare('SELECT coalesce(sum(length(content)), 0) AS bytes FROM contents')
  return {
    keepContent: (id, content) => {
      insert.run(id, content)
    },
    content: (id) => {
      const content = byId.get(id)?.['content']
      return content instanceof Uint8Array ? new Uint8Array(content) : null
    },
    contentBytes: () => Number(size.get()?.['bytes']),
  }
}

const callsOf = (database: DatabaseSync): Pick<State, 'bill' | 'calls'> => {
  const insert = database.prepare('INSERT INTO calls (body) VALUES (?)')
  const all = database.prepare('SELECT number, body FROM calls ORDER BY number')
  return {
    bill: (call) => ({ ...call, number: Number(insert.run(JSON.stringify(call)).lastInsertRowid) }),
    calls: () => all.all().map((row) => ({ ...bodyOf<BilledCall>(row), number: Number(row['number']) })),
  }
}

/** The database holds only what this file wrote. */
const bodyOf = <T>(row: Record<string, SQLOutputValue>): T => JSON.parse(String(row['body']))
