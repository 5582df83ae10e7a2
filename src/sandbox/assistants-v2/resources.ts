import { filesOf } from '../attachments.ts'
import { readFields } from '../fields.ts'
import { refuse } from '../kept.ts'
import type { Thread } from '../objects.ts'
import { type Fields, isFields, type World } from '../world.ts'
import type { MessageAttachment, ToolResources } from './objects-v2.ts'
import { invalidType, outOfRange } from './refusals-v2.ts'
import { addToStore, chunksUnlessSaid, makeStore, theStore, touchStore } from './stores.ts'
import { readChoice, readList, readObject, readTexts } from './values.ts'
import { readChunks } from './vector-stores.ts'

/** Files of a code interpreter, stores of an assistant or a thread, and files that a store can be made with here:
 * the vendor's of 2024. */
const codeFilesMax = 20
const storesMax = 1
const storeFilesMax = 10_000
const attachmentsMax = 100

/** A store that a message or a thread makes for itself ends a week after it was last used. */
const threadStoreExpiry = { anchor: 'last_active_at', days: 7 } as const

type MadeStore = Parameters<typeof makeStore>[1]

/** What the tools of an assistant or a thread are to read, before stores that it names are made. */
export type ResourcesDraft = { readonly resources: ToolResources; readonly stores: readonly MadeStore[] }

/** Reads `tool_resources`; null where there is none. Files and stores must exist. */
export const readResources = (
  world: World,
  body: Fields,
  { ofThread }: { readonly ofThread: boolean },
): ResourcesDraft | null => {
  const value = readObject(body, 'tool_resources')
  if (value === null) return null
  refuse(world, readFields(value, ['body', 'tool_resources'], ['code_interpreter', 'file_search']))
  const code = readObject(value, 'code_interpreter', 'tool_resources.code_interpreter')
  const search = readObject(value, 'file_search', 'tool_resources.file_search')
  const stores = search === null ? [] : readStores(world, search, ofThread)
  return {
    resources: {
      ...(code !== null && { code_interpreter: { file_ids: readCodeFiles(world, code) } }),
      ...(search !== null && {
        file_search: { vector_store_ids: readStoreIds(world, search, stores.length) },
      }),
    },
    stores,
  }
}

const readCodeFiles = (world: World, code: Fields): readonly string[] => {
  const param = 'tool_resources.code_interpreter.file_ids'
  const ids = readTexts(code, 'file_ids', { most: codeFilesMax }, param) ?? []
  filesOf(world, ids)
  return ids
}

const readStoreIds = (world: World, search: Fields, made: number): readonly string[] => {
  const param = 'tool_resources.file_search.vector_store_ids'
  const ids = readTexts(search, 'vector_store_ids', { most: storesMax }, param) ?? []
  if (ids.length + made > storesMax) {
    throw outOfRange({ param, value: ids.length + made, least: 0, most: storesMax })
  }
  for (const id of ids) theStore(world, id)
  return ids
}

const readStores = (world: World, search: Fields, ofThread: boolean): readonly MadeStore[] => {
  const param = 'tool_resources.file_search.vector_stores'
  return (readList(search, 'vector_stores', { most: storesMax }, param) ?? []).map((each) => {
    if (!isFields(each)) throw invalidType({ param, expected: 'an array of objects' })
    const place = ['body', 'tool_resources', 'file_search', 'vector_stores', '0']
    const reader = readFields(each, place, ['file_ids', 'chunking_strategy', 'metadata'])
    const metadata = reader.metadata('metadata')
    refuse(world, reader)
    const files = readTexts(each, 'file_ids', { most: storeFilesMax }, `${param}[0].file_ids`) ?? []
    filesOf(world, files)
    return {
      name: null,
      metadata: metadata ?? {},
      expires_after: ofThread ? threadStoreExpiry : null,
      files,
      chunking_strategy: readChunks(each),
    }
  })
}

/** Makes the stores that a draft asks for. Inside a transaction. */
export const makeResources = (world: World, { resources, stores }: ResourcesDraft): ToolResources => {
  const made = stores.map((store) => makeStore(world, store).id)
  if (resources.file_search === undefined) return resources
  return {
    ...resources,
    file_search: { vector_store_ids: [...resources.file_search.vector_store_ids, ...made] },
  }
}

const attachmentTools = ['code_interpreter', 'file_search'] as const

/** Reads the `attachments` of a message. */
export const readAttachments = (
  world: World,
  fields: Fields,
  place: readonly string[],
): readonly MessageAttachment[] => {
  const attachments = readList(fields, 'attachments', { most: attachmentsMax }) ?? []
  return attachments.map((each, index) => {
    const param = `attachments[${index}]`
    if (!isFields(each)) throw invalidType({ param, expected: 'an object' })
    const reader = readFields(each, [...place, 'attachments', String(index)], ['file_id', 'tools'])
    const file_id = reader.text('file_id', { most: 256, required: true }) ?? ''
    refuse(world, reader)
    filesOf(world, [file_id])
    const tools = readList(each, 'tools', { most: 2 }, `${param}.tools`) ?? []
    return {
      file_id,
      tools: tools.map((tool, at) => ({
        type: readChoice(isFields(tool) ? tool : {}, 'type', attachmentTools, `${param}.tools[${at}].type`),
      })),
    }
  })
}

/** What came with a message is for the tools of its thread: the thread as it is then. Inside a transaction. */
export const attachToThread = (
  world: World,
  thread: Thread,
  attachments: readonly MessageAttachment[],
): ToolResources => {
  const before = thread.v2?.tool_resources ?? {}
  const meantFor = (type: (typeof attachmentTools)[number]): readonly string[] =>
    attachments.filter(({ tools }) => tools.some((tool) => tool.type === type)).map(({ file_id }) => file_id)
  const [code, search] = [meantFor('code_interpreter'), meantFor('file_search')]
  return {
    ...before,
    ...(code.length > 0 && {
      code_interpreter: { file_ids: [...new Set([...(before.code_interpreter?.file_ids ?? []), ...code])] },
    }),
    ...(search.length > 0 && { file_search: { vector_store_ids: [searchable(world, before, search)] } }),
  }
}

/** The store of a thread, with these files in it as well; one that has none, or whose store is gone, gets one. */
const searchable = (world: World, { file_search }: ToolResources, files: readonly string[]): string => {
  const id = file_search?.vector_store_ids[0]
  const known = id === undefined ? null : world.state.find({ kind: 'vector_store', parent: null }, id)
  if (known !== null && known.status !== 'expired') {
    addToStore(world, touchStore(world, known), files, chunksUnlessSaid)
    return known.id
  }
  const draft = { name: null, metadata: {}, expires_after: threadStoreExpiry }
  return makeStore(world, { ...draft, files, chunking_strategy: chunksUnlessSaid }).id
}
