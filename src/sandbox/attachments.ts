import { keep, the } from './kept.ts'
import type { Assistant, AssistantFile, FileObject, Message, Run } from './objects.ts'
import { Refusal } from './refusal.ts'
import type { Place } from './state.ts'
import { heldByAssistant, releaseFile } from './storage.ts'
import { seconds, type World } from './world.ts'

/** Files an assistant, and files a message may have: the vendor's of that time. */
export const assistantFilesMax = 20
export const messageFilesMax = 10

export const assistantFilePlace = (assistant: string): Place<'assistant_file'> => ({
  kind: 'assistant_file',
  parent: assistant,
})
export const messageFilePlace = (message: string): Place<'message_file'> => ({
  kind: 'message_file',
  parent: message,
})
const threadFilePlace = (thread: string): Place<'thread_file'> => ({ kind: 'thread_file', parent: thread })

const assistantPlace: Place<'assistant'> = { kind: 'assistant', parent: null }
const filePlace: Place<'file'> = { kind: 'file', parent: null }

/** The files of these ids, each once. Throws the vendor's refusal of one that is unknown, and one of the
 * sandbox for files that are for something else: no copy of the vendor's words was found. */
export const filesOf = (world: World, ids: readonly string[]): readonly FileObject[] =>
  [...new Set(ids)].map((id) => {
    const file = the(world, filePlace, id)
    if (file.purpose === 'assistants' || file.purpose === 'assistants_output') return file
    throw new Refusal(400, `File '${id}' is for '${file.purpose}': an assistant cannot use it.`, {
      param: 'file_ids',
    })
  })

/** Attaches exactly these files to the assistant, and stores them for its retrieval. Runs inside a
 * transaction, after the assistant was written. */
export const attachToAssistant = (world: World, assistant: Assistant): void => {
  const place = assistantFilePlace(assistant.id)
  const attached = filesOf(world, assistant.file_ids)
  const known = new Set(world.state.files(place).map(({ id }) => id))
  const takenAway = [...known].filter((id) => !assistant.file_ids.includes(id))
  for (const id of takenAway) world.state.detach(place, id)
  for (const file of attached.filter(({ id }) => !known.has(id))) {
    const attachment: AssistantFile = {
      id: file.id,
      object: 'assistant.file',
      created_at: seconds(world),
      assistant_id: assistant.id,
    }
    keep(world, place, attachment, tokensOf(world, file))
  }
  heldByAssistant(world, assistant, { attached, takenAway })
}

/** Attaches the files of a new message to it and to its thread. Runs inside a transaction. */
export const attachToMessage = (world: World, message: Message): void => {
  for (const file of filesOf(world, message.file_ids)) {
    const tokens = tokensOf(world, file)
    const attached = {
      id: file.id,
      object: 'thread.message.file' as const,
      created_at: seconds(world),
      message_id: message.id,
    }
    keep(world, messageFilePlace(message.id), attached, tokens)
    const place = threadFilePlace(message.thread_id)
    if (world.state.find(place, file.id) !== null) continue
    keep(world, place, { id: file.id, object: 'thread.file', bytes: file.bytes }, tokens)
  }
}

/** The files that messages of a thread brought. */
export const threadFiles = (world: World, thread: string) => world.state.listed(threadFilePlace(thread))

/** The tokens of each file that the retrieval of a run may read: those of its assistant and of its thread. */
export const readableFiles = (world: World, run: Run): readonly number[] => {
  const own = world.state
    .files(assistantFilePlace(run.assistant_id))
    .filter(({ id }) => run.file_ids.includes(id))
  const brought = world.state.files(threadFilePlace(run.thread_id))
  return [...new Map([...own, ...brought].map(({ id, tokens }) => [id, tokens])).values()]
}

/** A file is deleted: no assistant has it any more, no message shows it, and nothing stores it. A message keeps
 * the id that it was written with. */
export const forgetFile = (world: World, file: string): void => {
  for (const id of world.state.detachAll(file)) {
    const assistant = world.state.find(assistantPlace, id)
    if (assistant === null) continue
    const file_ids = assistant.file_ids.filter((each) => each !== file)
    world.state.replace(assistantPlace, { ...assistant, file_ids })
  }
  releaseFile(world, file)
}

/** A longer text than this is never passed whole, so it is not counted. */
const countedBytesMax = 128 * 2 ** 10
/** Counted for what is longer: more than any search gives. */
const longTokens = 1_000_000

/** The tokens of a file's text. What is no UTF-8 has no text that the sandbox can read. */
export const tokensOf = (world: World, file: FileObject): number => {
  if (file.bytes > countedBytesMax) return longTokens
  try {
    const bytes = world.state.content(file.id) ?? new Uint8Array()
    return world.counter.count(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return 0
  }
}
