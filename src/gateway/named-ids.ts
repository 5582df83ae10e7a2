import { type Json, parseJson } from '../endpoints/json.ts'
import { OctroiError } from '../errors.ts'
import { turn } from './turn.ts'

/** The body of a request that no wire reads: JSON as it is, any other as a text. Throws `bad_input` for one that hides
 * what it says. */
export const readLoosely = (body: Buffer, encoding: string | undefined): Json => {
  if (encoding !== undefined && encoding !== 'identity') {
    throw new OctroiError(
      'bad_input',
      'The body is compressed, and of a path that is not metered it must be readable. Send it as it is.',
    )
  }
  const value = parseJson(body.toString('utf8'))
  if (value !== undefined) return value
  if (body.length <= otherBytesMax) return body.toString('latin1')
  throw new OctroiError(
    'body_too_large',
    `A body that is neither JSON nor a form may have ${otherBytesMax} bytes where its path is not metered.`,
  )
}

/** What of a request could be the id of an object at the vendor: parts of its path and its query, and the texts in its
 * body. Throws `bad_input` where there are too many to look each up. */
export const idsNamed = async (path: string, request: Json): Promise<readonly string[]> => {
  const [pathname = '', ...query] = path.split('?')
  const ids = new Set<string>()
  let read = 0
  const take = (text: string): void => {
    read += text.length
    for (const [word] of text.matchAll(wordPattern)) {
      if (!/[\d_-]/.test(word)) continue
      for (const id of [word, ...word.split(':')]) ids.add(id.replace(/[.:-]+$/, ''))
    }
    if (ids.size > idsMax) throw tooMany()
  }
  take(pathname)
  take(unescaped(query.join('?')))
  if (typeof request === 'string') take(request)
  const waiting: Json[] = [request]
  while (waiting.length > 0) {
    const value = waiting.pop()
    if (typeof value === 'string' && value.length <= idTextLengthMax) take(value)
    else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        take(key.slice(0, idTextLengthMax))
        waiting.push(inner)
      }
    }
    if (read < stepLengthMax) continue
    await turn(read)
    read = 0
  }
  return [...ids]
}

const otherBytesMax = 1_000_000
const idsMax = 10_000

/** A vendor takes an id by itself, or in an address. */
const idTextLengthMax = 1_000
/** How much is read before others have their turn. */
const stepLengthMax = 200_000

/** What can be an id: more than a few signs, and not letters alone. */
const wordPattern = /[A-Za-z0-9_][A-Za-z0-9._:-]{3,127}/g

const unescaped = (query: string): string => {
  try {
    return decodeURIComponent(query.replaceAll('+', ' '))
  } catch {
    throw new OctroiError('bad_input', 'The query of the path has an escape that is none.')
  }
}

const tooMany = (): OctroiError =>
  new OctroiError(
    'bad_input',
    `The request has more than ${idsMax} texts that could be ids, and its path is not metered. Send less at once.`,
  )
