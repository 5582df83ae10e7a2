/** How many pages a PDF has. `pagesAtMost` differs from `pages` where its objects and its page tree disagree,
 * as after an edit that left old pages behind. */
export type DocumentPages = { readonly pages: number; readonly pagesAtMost: number }

/** Why the pages of a document are not known. `not_a_pdf`; `unreadable`: its pages are encrypted, or in streams
 * that do not open or are too large; `no_pages`: it is whole and has none to be found; `gave_up`: `pace` refused. */
export type DocumentProblem = {
  readonly code: 'not_a_pdf' | 'unreadable' | 'no_pages' | 'gave_up'
  readonly message: string
}

/** Counts the pages of a PDF from its bytes: page objects, and the counts that its page tree states, in plain
 * text and within compressed object streams. It is a scan and no parser, so it needs no table of contents and
 * reads damaged files too. Never throws. 64 KiB at a time; before each piece `pace` lets others run, and by
 * rejecting ends the work. */
export const pagesOf = async (
  pdf: Uint8Array,
  pace: () => Promise<void>,
): Promise<DocumentPages | DocumentProblem> => {
  if (!latin1(pdf.subarray(0, 1024)).includes('%PDF-')) return problem('not_a_pdf')
  const found: Found = { objects: 0, stated: 0, encrypted: false, streams: [] }
  try {
    await scan(pdf, found, pace)
    if (found.streams.length > 0 && found.encrypted) return problem('unreadable')
    await openStreams(pdf, found, pace)
  } catch (error) {
    return problem(error instanceof StreamError ? 'unreadable' : 'gave_up')
  }
  const pagesAtMost = Math.max(found.objects, found.stated)
  return pagesAtMost === 0 ? problem('no_pages') : { pages: found.stated || found.objects, pagesAtMost }
}

/** What a scan has found: page objects, the largest count a page tree states, and where object streams begin. */
type Found = { objects: number; stated: number; encrypted: boolean; readonly streams: number[] }

const pieceBytes = 64 * 1024

/** So much around a sign belongs to its dictionary. */
const aroundBytes = 1024

/** Of all object streams together, when opened, and how many. */
const openedBytesMax = 32 * 1024 * 1024
const streamsMax = 10_000

const sign = /\/Type\s{0,8}\/(Pages|Page|ObjStm)(?![A-Za-z0-9])|\/Encrypt(?![A-Za-z0-9])/g

const scan = async (bytes: Uint8Array, found: Found, pace: () => Promise<void>): Promise<void> => {
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    await pace()
    const from = Math.max(0, start - aroundBytes)
    const text = latin1(bytes.subarray(from, start + pieceBytes + aroundBytes))
    for (const match of text.matchAll(sign)) {
      const at = from + match.index
      // What stands around this piece is found with its neighbours.
      if (at < start || at >= start + pieceBytes) continue
      if (match[1] === 'Page') found.objects += 1
      else if (match[1] === 'Pages') found.stated = Math.max(found.stated, statedCount(text, match.index))
      else if (match[1] === 'ObjStm') found.streams.push(at)
      else found.encrypted = true
    }
  }
}

/** The count stated in the dictionary around a place. */
const statedCount = (text: string, at: number): number => {
  const before = text.slice(Math.max(0, at - aroundBytes), at)
  const after = text.slice(at, at + aroundBytes)
  const dictionary =
    before.slice(Math.max(before.lastIndexOf('<<'), before.lastIndexOf('endobj'), 0)) +
    (after.split(/>>|endobj/, 1)[0] ?? '')
  const count = /\/Count\s{1,8}(\d{1,7})(?!\d)/.exec(dictionary)
  return count === null ? 0 : Number(count[1])
}

class StreamError extends Error {}
class GaveUp extends Error {}

/** Scans the object streams. Throws where one does not open: its pages would be missing. */
const openStreams = async (pdf: Uint8Array, found: Found, pace: () => Promise<void>): Promise<void> => {
  if (found.streams.length > streamsMax) throw new StreamError()
  let left = openedBytesMax
  for (const at of [...found.streams]) {
    await pace()
    const opened = await inflate(streamAt(pdf, at), left, pace)
    left -= opened.length
    await scan(opened, found, pace)
  }
}

/** The bytes behind the word `stream`. The compressed data say themselves where they end. */
const streamAt = (pdf: Uint8Array, at: number): Uint8Array => {
  const head = latin1(pdf.subarray(at, at + aroundBytes))
  const word = /stream\r?\n/.exec(head)
  if (word === null) throw new StreamError()
  const start = at + word.index + word[0].length
  return pdf.subarray(start, Math.min(pdf.length, start + openedBytesMax))
}

const inflate = async (
  bytes: Uint8Array,
  bytesMax: number,
  pace: () => Promise<void>,
): Promise<Uint8Array> => {
  const pieces: Uint8Array[] = []
  let opened = 0
  let start = 0
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => {
      controller.enqueue(new Uint8Array(bytes.subarray(start, start + 4096)))
      start += 4096
      if (start >= bytes.length) controller.close()
    },
  })
  const reader = source.pipeThrough(new DecompressionStream('deflate')).getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      opened += value.length
      if (opened > bytesMax) throw new StreamError()
      pieces.push(value)
      await pace().catch(() => {
        throw new GaveUp()
      })
    }
  } catch (error) {
    // Behind the compressed data stand other objects: what was opened before them is whole.
    if (error instanceof StreamError || error instanceof GaveUp) throw error
    if (opened === 0) throw new StreamError()
  } finally {
    await reader.cancel().catch(() => undefined)
  }
  return joined(pieces, opened)
}

const joined = (pieces: readonly Uint8Array[], bytes: number): Uint8Array => {
  const whole = new Uint8Array(bytes)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

const decoder = new TextDecoder('latin1')
const latin1 = (bytes: Uint8Array): string => decoder.decode(bytes)

const messages: Record<DocumentProblem['code'], string> = {
  not_a_pdf: 'The document is not a PDF.',
  unreadable: 'The pages of the document are encrypted, or in streams that cannot be opened.',
  no_pages: 'No pages were found in the document.',
  gave_up: 'Counting the pages of the document took too long.',
}

const problem = (code: DocumentProblem['code']): DocumentProblem => ({ code, message: messages[code] })
