import { setFlagsFromString } from 'node:v8'
import type { Io } from './command.ts'

/** A second Ctrl-C this long after the first, or later, ends the process at once. Sooner ones are echoes: a
 * terminal and the programs between it and us each send their own. */
const patienceMs = 1000

/** Exit code of a process that a person interrupted twice. */
const interruptedExit = 130

/** The outside of this process. It alone reads the environment. When the reader of `out` goes away (a pipe
 * into `head`), what is written to it is dropped, and `signal` aborts so that the command may stop early. */
export const processIo = (): Io => {
  const stop = new AbortController()
  const { env: environment, stdin, stdout, stderr } = process
  const plain = environment.NO_COLOR !== undefined && environment.NO_COLOR !== ''
  stopOnSignals(stop)
  const [out, err] = [writerTo(stdout, stop), writerTo(stderr, null)]
  return {
    stdin,
    drained: () => drainedOf(stdout, stop.signal),
    ...(stderr.isTTY === true ? belowAll({ out, err, shared: stdout.isTTY === true }) : { out, err }),
    steadyHeap,
    color: stdout.isTTY === true && !plain,
    environment,
    signal: stop.signal,
    onReload: (told) => {
      process.on('SIGHUP', told)
    },
  }
}

/** V8 doubles the young part of its heap again and again in a long run, up to 64 MB, and small things that live for a
 * moment have no use for it. Measured over a million lines: 125 MB in all in place of 206, for a tenth more time. */
const steadyHeap = (): void => setFlagsFromString('--semi-space-growth-factor=1')

const drainedOf = (stream: NodeJS.WriteStream, signal: AbortSignal): Promise<void> => {
  if (!stream.writableNeedDrain || signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    stream.on('drain', done)
    signal.addEventListener('abort', done)
  })
}

type Writer = (text: string) => void

/** Writers that keep a line below everything they write: the line goes before something else is written, and comes
 * again when it is next shown. `shared`: `out` is on the same terminal. */
export const belowAll = (writers: {
  readonly out: Writer
  readonly err: Writer
  readonly shared: boolean
}): { readonly out: Writer; readonly err: Writer; readonly bar: Writer } => {
  let shown = false
  const bar = (text: string): void => {
    if (shown || text !== '') writers.err(`\r\x1b[K${text}`)
    shown = text !== ''
  }
  const above =
    (write: Writer): Writer =>
    (text) => {
      bar('')
      write(text)
    }
  return { out: writers.shared ? above(writers.out) : writers.out, err: above(writers.err), bar }
}

const stopOnSignals = (stop: AbortController): void => {
  let firstAt: number | null = null
  const onSignal = (): void => {
    const now = performance.now()
    if (firstAt !== null && now - firstAt >= patienceMs) process.exit(interruptedExit)
    firstAt ??= now
    stop.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
}

const writerTo = (stream: NodeJS.WriteStream, stop: AbortController | null): ((text: string) => void) => {
  let gone = false
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    gone = true
    stop?.abort()
  })
  return (text) => {
    if (!gone) stream.write(text)
  }
}
