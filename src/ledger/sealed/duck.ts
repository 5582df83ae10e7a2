import type { DuckDBConnection, DuckDBDataChunk, DuckDBValue } from '@duckdb/node-api'

/** A DuckDB of its own: in memory, without extensions to download, bounded. */
export type Duck = {
  readonly run: (sql: string) => Promise<void>
  readonly rows: (sql: string) => Promise<readonly Readonly<Record<string, DuckDBValue>>[]>
  /** Reads the one column of texts that a statement gives, some thousand at a time. */
  readonly texts: (sql: string) => AsyncGenerator<readonly string[]>
  /** Reads what a statement gives, column by column, some thousand rows at a time. */
  readonly columns: (sql: string) => AsyncGenerator<readonly (readonly DuckDBValue[])[]>
  /** Adds texts to the table `name`, which has one column of them. */
  readonly append: (name: string, texts: Iterable<string>) => Promise<void>
  /** Adds chunks to the table `name`; they are all there when it has ended. */
  readonly adder: (name: string) => Promise<{
    readonly chunk: (chunk: DuckDBDataChunk) => void
    readonly end: () => void
  }>
  /** Tells now and then how far the statement in work is, in percent, as far as is known; gives what ends it. */
  readonly watch: (told: (percent: number) => void) => () => void
  readonly close: () => void
}

/** How much of the machine a DuckDB may take: what passes the memory is laid into `spill`. */
export type DuckBounds = { readonly memoryMb?: number; readonly threads?: number; readonly spill?: string }

/** The most that is spilled. */
const spillMax = '8GB'

const watchedMs = 250

/** Opens a DuckDB for the time of `body`. */
export const withDuck = async <Result>(
  bounds: DuckBounds,
  body: (duck: Duck) => Promise<Result>,
): Promise<Result> => {
  const duck = await openDuck(bounds)
  try {
    return await body(duck)
  } finally {
    duck.close()
  }
}

/** Opens a DuckDB. It must be closed. */
export const openDuck = async ({ memoryMb = 200, threads = 2, spill = '' }: DuckBounds): Promise<Duck> => {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${memoryMb}MB`,
    threads: `${threads}`,
    temp_directory: spill,
    ...(spill !== '' && { max_temp_directory_size: spillMax }),
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  const connection = await instance.connect()
  await connection.run('SET enable_progress_bar = true; SET enable_progress_bar_print = false')
  return {
    run: async (sql) => {
      await connection.run(sql)
    },
    rows: async (sql) => (await connection.runAndReadAll(sql)).getRowObjects(),
    async *texts(sql) {
      for await (const chunk of chunksOf(connection, sql)) yield chunk.getColumnValues(0).map(String)
    },
    async *columns(sql) {
      for await (const chunk of chunksOf(connection, sql)) yield chunk.getColumns()
    },
    append: async (name, texts) => {
      const appender = await connection.createAppender(name)
      for (const text of texts) {
        appender.appendVarchar(text)
        appender.endRow()
      }
      appender.closeSync()
    },
    adder: async (name) => {
      const appender = await connection.createAppender(name)
      return { chunk: (chunk) => appender.appendDataChunk(chunk), end: () => appender.closeSync() }
    },
    watch: (told) => {
      const timer = setInterval(() => {
        const { percentage } = connection.progress
        if (percentage >= 0) told(percentage)
      }, watchedMs)
      timer.unref()
      return () => clearInterval(timer)
    },
    close: () => {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

async function* chunksOf(connection: DuckDBConnection, sql: string): AsyncGenerator<DuckDBDataChunk> {
  const result = await connection.stream(sql)
  for (let chunk = await result.fetchChunk(); chunk !== null; chunk = await result.fetchChunk()) {
    if (chunk.rowCount === 0) return
    yield chunk
  }
}

/** True where a statement had not enough memory, or not enough room to spill into. */
export const isOutOfMemory = (error: unknown): boolean =>
  error instanceof Error && error.message.includes('Out of Memory')

/** A text in a statement. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** A list of files in a statement. */
export const fileList = (files: readonly string[]): string => `[${files.map(quoted).join(', ')}]`
