import { open } from 'node:fs/promises'
import { OctroiError } from '../errors.ts'

/** The most that is read of a file or an address of prices: several times what the public ones have. */
const bytesMax = 64 * 1_048_576

/** How long an address may take, and how many times it may lead on. */
const fetchMsMax = 30_000
const redirectsMax = 5

/** Reads prices from a file, or from an `http` or `https` address that the operator named. An address may lead on to
 * others of its own host only, and never from `https` to `http`. Throws `bad_input` for what cannot be read, is too
 * large or too slow. */
export const readSource = (from: string, signal: AbortSignal): Promise<string> =>
  /^[a-z][a-z0-9+.-]*:\/\//i.test(from) ? readAddress(from, signal) : readFileBounded(from)

const readFileBounded = async (path: string): Promise<string> => {
  try {
    const file = await open(path)
    try {
      const { size } = await file.stat()
      if (size > bytesMax) throw tooLarge(path)
      return await file.readFile('utf8')
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof OctroiError) throw error
    const { code } = error as NodeJS.ErrnoException
    throw new OctroiError('bad_input', `Cannot read ${path} (${code}). Name a file, or an https address.`)
  }
}

const readAddress = async (from: string, signal: AbortSignal): Promise<string> => {
  const first = addressOf(from)
  const timeout = AbortSignal.timeout(fetchMsMax)
  try {
    const reply = await follow(first, AbortSignal.any([signal, timeout]))
    return await textOf(reply, from)
  } catch (error) {
    if (error instanceof OctroiError) throw error
    if (timeout.aborted) {
      throw new OctroiError('bad_input', `${from} took longer than ${fetchMsMax / 1000} seconds. Try again.`)
    }
    const { cause, message } = error as Error
    const why = cause instanceof Error ? cause.message : message
    throw new OctroiError('bad_input', `Cannot read ${from}: ${why}.`)
  }
}

const addressOf = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new OctroiError(
      'bad_input',
      `${text.slice(0, 200)} is no http or https address without a password.`,
    )
  }
  return url
}

const follow = async (first: URL, signal: AbortSignal): Promise<Response> => {
  let url = first
  for (let redirects = 0; redirects <= redirectsMax; redirects += 1) {
    const reply = await fetch(url, { redirect: 'manual', signal, headers: { accept: 'application/json' } })
    if (reply.status < 300 || reply.status > 399) {
      if (reply.ok) return reply
      throw new OctroiError('bad_input', `${url.href} answered ${reply.status}.`)
    }
    const next = new URL(reply.headers.get('location') ?? '', url)
    await reply.body?.cancel()
    const sameHost = next.hostname === first.hostname
    if (!sameHost || (next.protocol !== 'https:' && next.protocol !== url.protocol)) {
      throw new OctroiError(
        'bad_input',
        `${url.href} leads to ${next.origin}, and only its own host is followed. Name that address if you trust it.`,
      )
    }
    url = next
  }
  throw new OctroiError('bad_input', `${first.href} leads on more than ${redirectsMax} times.`)
}

const textOf = async (reply: Response, from: string): Promise<string> => {
  const decoder = new TextDecoder()
  let [text, bytes] = ['', 0]
  for await (const chunk of reply.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > bytesMax) throw tooLarge(from)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

const tooLarge = (from: string): OctroiError =>
  new OctroiError(
    'bad_input',
    `${from} is larger than ${bytesMax / 1_048_576} MiB, which no list of prices is.`,
  )
