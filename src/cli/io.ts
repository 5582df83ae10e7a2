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
  return {
    stdin,
    out: writerTo(stdout, stop),
    err: writerTo(stderr, null),
    color: stdout.isTTY === true && !plain,
    environment,
    signal: stop.signal,
  }
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
