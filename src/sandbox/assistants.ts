import { type FieldReader, readFields } from './fields.ts'
import type { Assistant, Kinds } from './objects.ts'
import { listOf } from './pages.ts'
import { Refusal } from './refusal.ts'
import type { Place } from './state.ts'
import { type Fields, isFields, seconds, servedModel, type WireRoute, type World } from './world.ts'

/** Assistants v1: create, retrieve, modify, list, delete. All free. */
export const assistants = (world: World): readonly WireRoute[] => [
  assistantRoute('POST', '', ({ body }) => ({ json: createAssistant(world, body) })),
  assistantRoute('GET', '', ({ query }) => ({ json: listOf(world, assistantPlace, query) })),
  assistantRoute('GET', '/:assistant', ({ params }) => ({
    json: the(world, assistantPlace, params['assistant']),
  })),
  assistantRoute('POST', '/:assistant', ({ params, body }) => ({
    json: modifyAssistant(world, the(world, assistantPlace, params['assistant']), body),
  })),
  assistantRoute('DELETE', '/:assistant', ({ params }) => {
    const { id } = the(world, assistantPlace, params['assistant'])
    world.state.remove(id)
    return { json: { id, object: 'assistant.deleted', deleted: true } }
  }),
]

const assistantRoute = (
  method: WireRoute['method'],
  path: string,
  handle: WireRoute['handle'],
): WireRoute => ({ method, path: `/v1/assistants${path}`, family: 'assistants', beta: true, handle })

export const assistantPlace: Place<'assistant'> = { kind: 'assistant', parent: null }

/** The object of that id, or the vendor's refusal. */
export const the = <K extends keyof Kinds>(
  world: World,
  place: Place<K>,
  id: string | undefined,
): Kinds[K] => {
  const found = id === undefined ? null : world.state.find(place, id)
  if (found !== null) return found
  throw world.profile.refusals.notFound({ kind: place.kind, id: (id ?? '').slice(0, 100) })
}

/** Keeps an object, up to a bound that no test and no demo comes near. */
export const keep = <K extends keyof Kinds>(
  world: World,
  place: Place<K>,
  object: Kinds[K],
  tokens = 0,
): void => {
  if (world.state.count() >= objectsMax) {
    throw new Refusal(
      400,
      `The sandbox keeps at most ${objectsMax} objects. Delete some, or start it with --reset.`,
    )
  }
  world.state.add(place, object, tokens)
}

const objectsMax = 1_000_000

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
  keep(world, assistantPlace, assistant)
  return assistant
}

const modifyAssistant = (world: World, assistant: Assistant, body: Fields): Assistant => {
  const modified = { ...assistant, ...readAssistant(world, body) }
  world.state.replace(assistantPlace, modified)
  return modified
}

/** What the request says; what it does not say is left out. */
const readAssistant = (world: World, body: Fields) => {
  const reader = readFields(body, ['body'], fields)
  const [name, description] = [reader.text('name', { most: 256 }), reader.text('description', { most: 512 })]
  const instructions = reader.text('instructions', { most: textMax })
  const [model, metadata] = [reader.text('model', { most: 256 }), reader.metadata('metadata')]
  refuse(world, reader)
  refuseTools(body)
  return {
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    ...(typeof model === 'string' && { model: modelOf(world, model) }),
    ...(instructions !== undefined && { instructions }),
    ...(metadata !== undefined && { metadata }),
  }
}

/** The name of a model that is served. */
export const modelOf = (world: World, model: string): string => {
  if (servedModel(world, model) !== null) return model
  throw world.profile.refusals.unknownModelOfAssistant(model.slice(0, 100))
}

/** Throws the vendor's refusal when anything was wrong. */
export const refuse = (world: World, ...readers: readonly FieldReader[]): void => {
  const faults = readers.flatMap((reader) => reader.faults)
  if (faults.length > 0) throw world.profile.refusals.invalidRequest(faults)
}

/** Tools and files are not played yet: refused, so that no bill is ever a guess. */
export const refuseTools = (body: Fields): void => {
  for (const name of ['tools', 'file_ids']) {
    const value = body[name]
    if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) continue
    const what = isFields(value) || Array.isArray(value) ? 'leave it empty' : 'it must be an empty list'
    throw new Refusal(400, `The sandbox does not play '${name}' yet: ${what}.`, { param: name })
  }
}
