import type { DatabaseSync } from 'node:sqlite'
import type { Instant } from '../time.ts'

/** A file that is stored for an assistant, from the first instant to the one at which it no longer is; null
 * while it is. `source` is what holds it: the assistant itself, or a thread whose messages brought it. */
export type Holding = {
  readonly assistant: string
  readonly file: string
  readonly source: string
  readonly bytes: number
  readonly from: Instant
  readonly to: Instant | null
}

/** A code interpreter session of a thread. */
export type OpenedSession = { readonly thread: string; readonly from: Instant }

/** What the model calls of an active run used so far. */
export type RunTally = { readonly input: number; readonly output: number }

/** What the state remembers of things that cost without a request: storage, sessions, runs half-way. */
export type StandingState = {
  /** Stores a file for an assistant; what is stored from that source already stays as it is. */
  readonly hold: (holding: Omit<Holding, 'to'>) => void
  /** Ends what is stored of a file, for an assistant or from a source: whichever are said must all fit. */
  readonly release: (
    what: { readonly assistant?: string; readonly file?: string; readonly source?: string },
    at: Instant,
  ) => void
  readonly holdings: () => readonly Holding[]
  /** When the newest session of a thread was opened; null if there was none. */
  readonly session: (thread: string) => Instant | null
  readonly openSession: (session: OpenedSession) => void
  readonly sessions: () => readonly OpenedSession[]
  readonly endSession: (thread: string) => void
  /** Adds a model call to what a run used. */
  readonly addToTally: (run: string, used: RunTally) => void
  /** What a run used so far; nothing if it called no model. */
  readonly tally: (run: string) => RunTally
  /** What a run used, which is forgotten with this; null if it called no model. */
  readonly takeTally: (run: string) => RunTally | null
}

/** The tables, and their names: what a reset drops. */
export const standingSchema = `
  CREATE TABLE IF NOT EXISTS holdings (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    assistant TEXT NOT NULL,
    file TEXT NOT NULL,
    source TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    begun INTEGER NOT NULL,
    ended INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX IF NOT EXISTS holdings_open ON holdings (assistant, file, source) WHERE ended IS NULL;
  CREATE INDEX IF NOT EXISTS holdings_open_file ON holdings (file) WHERE ended IS NULL;
  CREATE INDEX IF NOT EXISTS holdings_open_source ON holdings (source) WHERE ended IS NULL;
  CREATE TABLE IF NOT EXISTS sessions (thread TEXT PRIMARY KEY, begun INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS tallies (
    run TEXT PRIMARY KEY, input INTEGER NOT NULL, output INTEGER NOT NULL
  ) STRICT;
`
export const standingTables = ['holdings', 'sessions', 'tallies'] as const

export const standingOf = (database: DatabaseSync): StandingState => ({
  ...holdingsOf(database),
  ...sessionsOf(database),
  ...talliesOf(database),
})

const holdingsOf = (database: DatabaseSync): Pick<StandingState, 'hold' | 'release' | 'holdings'> => {
  const insert = database.prepare(
    `INSERT INTO holdings (assistant, file, source, bytes, begun) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  )
  const all = database.prepare('SELECT * FROM holdings ORDER BY number')
  // A clock that went back ends nothing before it began.
  const end = (condition: string) =>
    database.prepare(`UPDATE holdings SET ended = max(begun, ?) WHERE ended IS NULL AND ${condition}`)
  const ends = {
    file: end('file = ?'),
    assistant: end('assistant = ?'),
    source: end('source = ?'),
    one: end('assistant = ? AND file = ? AND source = ?'),
  }
  return {
    hold: ({ assistant, file, source, bytes, from }) => {
      insert.run(assistant, file, source, bytes, from)
    },
    release: ({ assistant, file, source }, at) => {
      if (assistant !== undefined && file !== undefined && source !== undefined) {
        ends.one.run(at, assistant, file, source)
      } else if (file !== undefined) ends.file.run(at, file)
      else if (assistant !== undefined) ends.assistant.run(at, assistant)
      else if (source !== undefined) ends.source.run(at, source)
    },
    holdings: () =>
      all.all().map((row) => ({
        assistant: String(row['assistant']),
        file: String(row['file']),
        source: String(row['source']),
        bytes: Number(row['bytes']),
        from: Number(row['begun']),
        to: row['ended'] === null ? null : Number(row['ended']),
      })),
  }
}

type SessionVerbs = 'session' | 'openSession' | 'sessions' | 'endSession'

const sessionsOf = (database: DatabaseSync): Pick<StandingState, SessionVerbs> => {
  const byThread = database.prepare('SELECT begun FROM sessions WHERE thread = ?')
  const insert = database.prepare(
    'INSERT INTO sessions (thread, begun) VALUES (?, ?) ON CONFLICT DO UPDATE SET begun = excluded.begun',
  )
  const all = database.prepare('SELECT thread, begun FROM sessions ORDER BY begun, thread')
  const removal = database.prepare('DELETE FROM sessions WHERE thread = ?')
  return {
    session: (thread) => {
      const row = byThread.get(thread)
      return row === undefined ? null : Number(row['begun'])
    },
    openSession: ({ thread, from }) => {
      insert.run(thread, from)
    },
    sessions: () => all.all().map((row) => ({ thread: String(row['thread']), from: Number(row['begun']) })),
    endSession: (thread) => {
      removal.run(thread)
    },
  }
}

const talliesOf = (database: DatabaseSync): Pick<StandingState, 'addToTally' | 'tally' | 'takeTally'> => {
  const add = database.prepare(
    `INSERT INTO tallies (run, input, output) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET input = input + excluded.input, output = output + excluded.output`,
  )
  const byRun = database.prepare('SELECT input, output FROM tallies WHERE run = ?')
  const take = database.prepare('DELETE FROM tallies WHERE run = ? RETURNING input, output')
  return {
    addToTally: (run, { input, output }) => {
      add.run(run, input, output)
    },
    tally: (run) => {
      const row = byRun.get(run)
      return { input: Number(row?.['input'] ?? 0), output: Number(row?.['output'] ?? 0) }
    },
    takeTally: (run) => {
      const row = take.get(run)
      return row === undefined ? null : { input: Number(row['input']), output: Number(row['output']) }
    },
  }
}
