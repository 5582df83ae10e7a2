import { isOneOf, shown } from './arguments.ts'
import { forgetFile } from './attachments.ts'
import type { FileObject } from './objects.ts'
import { Refusal } from './refusal.ts'
import type { Place } from './state.ts'
import { type Exchange, seconds, type WireRoute, type World } from './world.ts'

/** Files: upload, list, retrieve, content, delete. All free; what holds them may not be. */
export const files = (world: World): readonly WireRoute[] => [
  fileRoute('POST', '', async (exchange) => ({ json: await upload(world, exchange) })),
  fileRoute('GET', '', ({ query }) => ({ json: list(world, query) })),
  fileRoute('GET', '/:file', ({ params }) => ({ json: theFile(world, params['file']) })),
  fileRoute('GET', '/:file/content', ({ params }) => contentOf(world, theFile(world, params['file']))),
  fileRoute('DELETE', '/:file', ({ params }) => {
    const { id } = theFile(world, params['file'])
    world.state.together(() => {
      world.state.remove(id)
      forgetFile(world, id)
    })
    return { json: { id, object: 'file', deleted: true } }
  }),
]

const fileRoute = (method: WireRoute['method'], path: string, handle: WireRoute['handle']): WireRoute => ({
  method,
  path: `/v1/files${path}`,
  family: 'files',
  form: true,
  handle,
})

export const filePlace: Place<'file'> = { kind: 'file', parent: null }

/** The most bytes of all files together. The vendor takes 512 MB a file and 100 GB an organization (API
 * description 2.0.0, November 2023); the sandbox takes what fits into one request, and this much of it. */
const contentBytesMax = 2 * 2 ** 30

/** Keeps a file and its bytes. Throws a refusal when there is no room for it. */
const keepFile = (
  world: World,
  file: Pick<FileObject, 'filename' | 'purpose'>,
  content: Uint8Array,
): FileObject => {
  const kept = world.state.contentBytes()
  if (kept + content.length > contentBytesMax) {
    throw new Refusal(
      400,
      `The sandbox keeps at most ${contentBytesMax} bytes of files, and has ${kept}: delete some of them.`,
      { param: 'file' },
    )
  }
  const object: FileObject = {
    id: world.newId('file-'),
    object: 'file',
    bytes: content.length,
    created_at: seconds(world),
    filename: file.filename,
    purpose: file.purpose,
    status: 'processed',
    status_details: null,
  }
  world.state.together(() => {
    world.state.add(filePlace, object)
    world.state.keepContent(object.id, content)
  })
  return object
}

const purposes = ['fine-tune', 'assistants'] as const

/** The refusals of fields as in openai-python issue 65 (2022-01-18) and orhanerday/open-ai issue 100
 * (2023-07-14); of an empty file in their manner. */
const upload = async (world: World, { body, uploads }: Exchange): Promise<FileObject> => {
  const file = uploads.get('file')
  if (file === undefined) throw new Refusal(400, "'file' is a required property")
  const purpose = body['purpose']
  if (purpose === undefined) throw new Refusal(400, "'purpose' is a required property")
  if (!isOneOf(purposes, purpose)) {
    const known = purposes.map((each) => `'${each}'`).join(', ')
    throw new Refusal(400, `${shown(purpose)} is not one of [${known}] - 'purpose'`)
  }
  if (file.bytes.length === 0) throw new Refusal(400, 'File is empty.', { param: 'file' })
  if (purpose === 'fine-tune') await checkLines(file.bytes)
  return keepFile(world, { filename: file.filename === '' ? 'blob' : file.filename, purpose }, file.bytes)
}

/** The first line that is not a JSON object, in the words of OpenAI-API-dotnet issue 59 (2023-03-02). Others
 * have their turn after each mebibyte. */
const checkLines = async (bytes: Uint8Array<ArrayBuffer>): Promise<void> => {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let turn = sliceBytes
  for (let at = 0, number = 1; at < file.length; number++) {
    const found = file.indexOf('\n', at)
    const end = found < 0 ? file.length : found
    const line = file.toString('utf8', at, end)
    if (line.trim() !== '' && !isDictionary(line)) throw notADictionary(line, number)
    at = end + 1
    if (at > turn) {
      turn += sliceBytes
      await new Promise(setImmediate)
    }
  }
}

const sliceBytes = 2 ** 20

const notADictionary = (line: string, number: number): Refusal =>
  new Refusal(
    400,
    'Expected file to have JSONL format, where every line is a JSON dictionary. ' +
      `Line ${number} is not a dictionary (HINT: line starts with: ${JSON.stringify(`${line.slice(0, 3)}...`)}).`,
  )

const isDictionary = (line: string): boolean => {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

/** All files at once, newest first: the list of 2023 had no pages. */
const list = (world: World, query: URLSearchParams) => {
  const purpose = query.get('purpose')
  const all = world.state.every('file').toReversed()
  const data = purpose === null ? all : all.filter((file) => file.purpose === purpose)
  return { object: 'list', data, has_more: false }
}

/** The file of that id, or the vendor's refusal: LibreChat issue 2632, 2024-05-07. */
export const theFile = (world: World, id: string | undefined): FileObject => {
  const found = id === undefined ? null : world.state.find(filePlace, id)
  if (found !== null) return found
  throw new Refusal(404, `No such File object: ${(id ?? '').slice(0, 100)}`, { param: 'id' })
}

/** What was given to assistants cannot be had back (openai-assistant issue 3, 2024-08-06); the words are in the
 * manner of their neighbours. */
const contentOf = (world: World, file: FileObject) => {
  if (file.purpose === 'assistants') {
    throw new Refusal(400, `Not allowed to download files of purpose: ${file.purpose}`)
  }
  const bytes = world.state.content(file.id) ?? new Uint8Array()
  return { bytes, contentType: 'application/octet-stream' }
}
