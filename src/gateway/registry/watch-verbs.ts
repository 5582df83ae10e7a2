import type { Connection, Verb } from '../../ledger/database.ts'
import { text, whole } from './cells.ts'
import type { WatchedLater } from './registry.ts'

const watch = (connection: Connection, later: WatchedLater): void => {
  connection.run(
    `INSERT INTO registry_watch (upstream, path, thread, call_id, beta, answer_most)
     VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    later.upstream,
    later.path,
    later.thread,
    later.callId,
    later.beta,
    later.answerMost,
  )
}

const unwatch = (
  connection: Connection,
  { upstream, path }: Pick<WatchedLater, 'upstream' | 'path'>,
): void => {
  connection.run('DELETE FROM registry_watch WHERE upstream = ? AND path = ?', upstream, path)
}

const watched = (connection: Connection): readonly WatchedLater[] =>
  connection.all('SELECT * FROM registry_watch ORDER BY upstream, path').map((row) => ({
    upstream: text(row, 'upstream') ?? '',
    path: text(row, 'path') ?? '',
    thread: text(row, 'thread'),
    callId: text(row, 'call_id') ?? '',
    beta: text(row, 'beta'),
    answerMost: whole(row, 'answer_most'),
  }))

/** The verbs of runs and jobs that are asked after. */
export const watchVerbs = { watch, unwatch, watched } satisfies Record<string, Verb>
