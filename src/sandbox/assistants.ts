import { assistantFilePlace, assistantFilesMax, attachToAssistant, filesOf } from './attachments.ts'
import { readFields } from './fields.ts'
import { keep, refuse, the } from './kept.ts'
import type { Assistant } from './objects.ts'
import { listOf } from './pages.ts'
import type { Place } from './state.ts'
import { releaseAssistant } from './storage.ts'
import { readFileIds, readTools } from './tools.ts'
import { type Fields, seconds, servedModel, type WireRoute, type World } from './world.ts'

/** Assistants v1 and their files: create, retrieve, modify, list, delete. All free, but what is stored for the
 * retrieval of an assistant is billed by the day. */
export const assistants = (world: World): readonly WireRoute[] => [
  ...assistantRoutes(world),
  ...fileRoutes(world),
]

const assistantRoutes = (world: World): readonly WireRoute[] => [
  assistantRoute('POST', '', ({ body }) => ({ json: createAssistant(world, body) })),
  assistantRoute('GET', '', ({ query }) => ({ json: listOf(world, assistantPlace, query) })),
  assistantRoute('GET', '/:assistant', ({ params }) => ({ json: theAssistant(world, params) })),
  assistantRoute('POST', '/:assistant', ({ params, body }) => ({
    json: modifyAssistant(world, theAssistant(world, params), readAssistant(world, body)),
  })),
  assistantRoute('DELETE', '/:assistant', ({ params }) => {
    const { id } = theAssistant(world, params)
    world.state.together(() => {
      world.state.remove(id)
      releaseAssistant(world, id)
    })
    return { json: { id, object: 'assistant.deleted', deleted: true } }
  }),
]

const fileRoutes = (world: World): readonly WireRoute[] => [
  assistantRoute('POST', '/:assistant/files', ({ params, body }) => ({
    json: attachFile(world, theAssistant(world, params), body),
  })),
  assistantRoute('GET', '/:assistant/files', ({ params, query }) => ({
    json: listOf(world, assistantFilePlace(theAssistant(world, params).id), query),
  })),
  assistantRoute('GET', '/:assistant/files/:file', ({ params }) => ({
    json: the(world, assistantFilePlace(theAssistant(world, params).id), params['file']),
  })),
  assistantRoute('DELETE', '/:assistant/files/:file', ({ params }) => {
    const assistant = theAssistant(world, params)
    const { id } = the(world, assistantFilePlace(assistant.id), params['file'])
    modifyAssistant(world, assistant, { file_ids: assistant.file_ids.filter((each) => each !== id) })
    return { json: { id, object: 'assistant.file.deleted', deleted: true } }
  }),
]

const assistantRoute = (
  method: WireRoute['method'],
  path: string,
  handle: WireRoute['handle'],
): WireRoute => ({ method, path: `/v1/assistants${path}`, family: 'assistants', beta: true, handle })

export const assistantPlace: Place<'assistant'> = { kind: 'assistant', parent: null }

const theAssistant = (world: World, params: Readonly<Record<string, string>>): Assistant =>
  the(world, assistantPlace, params['assistant'])

/** Longest instructions and messages, in characters: the vendor's of that time. */
export const textMax = 32_768

const fields = ['model', 'name', 'description', 'instructions', 'tools', 'file_ids', 'metadata']

const createAssistant = (world: World, body: Fields): Assistant => {
  const { model, ...read } = readAssistant(world, body)
  if (model === undefined) throw world.profile.refusals.noModel()
  const assistant: Assistant = {
    id: world.newId('asst_'),
    object: 'assistant',
    created_at: seconds(world),
    name: null,
    description: null,
    model,
    instructions: null,
    tools: [],
    file_ids: [],
    metadata: {},
    ...read,
  }
  world.state.together(() => {
    keep(world, assistantPlace, assistant)
    attachToAssistant(world, assistant)
  })
  return assistant
}

const modifyAssistant = (world: World, assistant: Assistant, changes: Partial<Assistant>): Assistant => {
  const modified = { ...assistant, ...changes }
  world.state.together(() => {
    world.state.replace(assistantPlace, modified)
    if (changes.file_ids !== undefined || changes.tools !== undefined) attachToAssistant(world, modified)
  })
  return modified
}

/** What the request says; what it does not say is left out. */
const readAssistant = (world: World, body: Fields): Partial<Assistant> => {
  const reader = readFields(body, ['body'], fields)
  const [name, description] = [reader.text('name', { most: 256 }), reader.text('description', { most: 512 })]
  const instructions = reader.text('instructions', { most: textMax })
  const [model, metadata] = [reader.text('model', { most: 256 }), reader.metadata('metadata')]
  const tools = readTools(world, reader, ['body'])
  const file_ids = readFileIds(world, reader, ['body'], { most: assistantFilesMax })
  refuse(world, reader)
  if (file_ids !== undefined) filesOf(world, file_ids)
  return {
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    ...(typeof model === 'string' && { model: modelOf(world, model) }),
    ...(instructions !== undefined && { instructions }),
    ...(tools !== undefined && { tools }),
    ...(file_ids !== undefined && { file_ids }),
    ...(metadata !== undefined && { metadata }),
  }
}

/** Attaches one more file. Attaching it again changes nothing. */
const attachFile = (world: World, assistant: Assistant, body: Fields) => {
  const reader = readFields(body, ['body'], ['file_id'])
  const id = reader.text('file_id', { most: 256, required: true }) ?? ''
  refuse(world, reader)
  const file_ids = [...new Set([...assistant.file_ids, id])]
  if (file_ids.length > assistantFilesMax) {
    const message =
      `ensure this value has at most ${assistantFilesMax} items ` +
      `(type=value_error.list.max_items; limit_value=${assistantFilesMax})`
    throw world.profile.refusals.invalidRequest([{ place: ['body', 'file_ids'], message }])
  }
  filesOf(world, file_ids)
  modifyAssistant(world, assistant, { file_ids })
  return the(world, assistantFilePlace(assistant.id), id)
}

/** The name of a model that is served. */
export const modelOf = (world: World, model: string): string => {
  if (servedModel(world, model) !== null) return model
  throw world.profile.refusals.unknownModelOfAssistant(model.slice(0, 100))
}
