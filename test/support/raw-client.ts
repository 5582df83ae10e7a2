import { connect, type Socket } from 'node:net'

/** What came back on a socket. `clean`: the reply ended as HTTP says that a whole one ends. */
export type RawReply = {
  readonly status: number | null
  readonly head: string
  readonly body: string
  readonly clean: boolean
}

/** Sends bytes to a server as they are, and reads until the reply ends, the connection does, or `leave` says after
 * some bytes of the body that the client goes, or `gone` resolves. */
export const sendRaw = async (
  url: string,
  bytes: string | Buffer | readonly (string | Buffer)[],
  {
    leave = () => false,
    waitMs = 15_000,
    gone = null,
  }: { leave?: (body: string) => boolean; waitMs?: number; gone?: Promise<void> | null } = {},
): Promise<RawReply> => {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  const parts: Buffer[] = []
  const over = Promise.withResolvers<void>()
  const timer = setTimeout(() => socket.destroy(new Error('waited long enough')), waitMs)
  socket.on('data', (chunk) => {
    parts.push(chunk)
    const reply = readReply(Buffer.concat(parts))
    if (reply.clean) socket.end()
    else if (reply.status !== null && leave(reply.body)) socket.destroy()
  })
  socket.on('error', () => {})
  socket.on('close', () => over.resolve())
  if (gone !== null) void gone.then(() => socket.destroy())
  for (const each of typeof bytes === 'string' || Buffer.isBuffer(bytes) ? [bytes] : bytes) {
    if (!socket.destroyed) await written(socket, each)
  }
  await over.promise
  clearTimeout(timer)
  return readReply(Buffer.concat(parts))
}

const written = (socket: Socket, bytes: string | Buffer): Promise<void> =>
  new Promise((resolve) => {
    socket.once('close', resolve)
    socket.write(bytes, () => {
      socket.off('close', resolve)
      resolve()
    })
  })

/** A request as a client writes it. */
export const requestOf = (path: string, headers: Readonly<Record<string, string>>, body: string): string =>
  [
    `POST ${path} HTTP/1.1`,
    'host: gateway',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '',
    body,
  ].join('\r\n')

const readReply = (bytes: Buffer): RawReply => {
  const text = bytes.toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return { status: null, head: text, body: '', clean: false }
  const head = text.slice(0, end)
  const rest = text.slice(end + 4)
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? Number.NaN) || null
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
  if (length !== undefined) {
    return { status, head, body: rest.slice(0, Number(length)), clean: rest.length >= Number(length) }
  }
  return { status, head, ...chunked(rest) }
}

/** The body of a chunked reply, and whether its terminator came. */
const chunked = (text: string): { body: string; clean: boolean } => {
  let body = ''
  let at = 0
  for (;;) {
    const line = text.indexOf('\r\n', at)
    if (line === -1) return { body, clean: false }
    const size = Number.parseInt(text.slice(at, line), 16)
    if (size === 0) return { body, clean: text.startsWith('\r\n', line + 2) }
    body += text.slice(line + 2, line + 2 + size)
    at = line + 2 + size + 2
  }
}
