import { assistantPlace, modelOf } from '../assistants.ts'
import { readFields } from '../fields.ts'
import { keep, refuse, the } from '../kept.ts'
import type { Assistant } from '../objects.ts'
import { listOf } from '../pages.ts'
import { readTools } from '../tools.ts'
import { type Fields, seconds, type WireRoute, type World } from '../world.ts'
import { missing } from './refusals-v2.ts'
import { makeResources, readResources } from './resources.ts'
import { readSampling, samplingFields } from './settings.ts'
import { samplingUnlessSaid, shownAssistant } from './shapes.ts'

/** Assistants v2: create, retrieve, modify, list, delete. All free. */
export const assistantsV2 = (world: World): readonly WireRoute[] => {
  const at = (method: WireRoute['method'], path: string, handle: WireRoute['handle']): WireRoute => ({
    method,
    path: `/v1/assistants${path}`,
    family: 'assistants',
    beta: true,
    handle,
  })
  const one = (params: Readonly<Record<string, string>>): Assistant =>
    the(world, assistantPlace, params['assistant'])
  return [
    at('POST', '', ({ body }) => ({ json: shownAssistant(createAssistant(world, body)) })),
    at('GET', '', ({ query }) => ({ json: listOf(world, assistantPlace, query, shownAssistant) })),
    at('GET', '/:assistant', ({ params }) => ({ json: shownAssistant(one(params)) })),
    at('POST', '/:assistant', ({ params, body }) => {
      const assistant = one(params)
      const modified = world.state.together(() => {
        const changed = withChanges(world, assistant, body)
        world.state.replace(assistantPlace, changed)
        return changed
      })
      return { json: shownAssistant(modified) }
    }),
    at('DELETE', '/:assistant', ({ params }) => {
      const { id } = one(params)
      world.state.remove(id)
      return { json: { id, object: 'assistant.deleted', deleted: true } }
    }),
  ]
}

/** Longest instructions of v2, in characters: the vendor's since 2024. */
export const instructionsMax = 256_000

const fields = ['model', 'name', 'description', 'instructions', 'tools', 'tool_resources', 'metadata']

const createAssistant = (world: World, body: Fields): Assistant =>
  world.state.together(() => {
    const blank: Assistant = {
      id: world.newId('asst_'),
      object: 'assistant',
      created_at: seconds(world),
      name: null,
      description: null,
      model: '',
      instructions: null,
      tools: [],
      file_ids: [],
      metadata: {},
    }
    const assistant = withChanges(world, blank, body)
    if (assistant.model === '') throw missing('model')
    keep(world, assistantPlace, assistant)
    return assistant
  })

/** The assistant with what the request says. Runs inside a transaction: it may make a store. */
const withChanges = (world: World, assistant: Assistant, body: Fields): Assistant => {
  const reader = readFields(body, ['body'], [...fields, ...samplingFields])
  const [name, description] = [reader.text('name', { most: 256 }), reader.text('description', { most: 512 })]
  const instructions = reader.text('instructions', { most: instructionsMax })
  const [model, metadata] = [reader.text('model', { most: 256 }), reader.metadata('metadata')]
  const tools = readTools(world, reader, ['body'])
  refuse(world, reader)
  const sampling = readSampling(body)
  const resources = readResources(world, body, { ofThread: false })
  const before = assistant.v2 ?? { ...samplingUnlessSaid, tool_resources: {} }
  const made = resources === null ? {} : makeResources(world, resources)
  return {
    ...assistant,
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    ...(typeof model === 'string' && { model: modelOf(world, model) }),
    ...(instructions !== undefined && { instructions }),
    ...(tools !== undefined && { tools }),
    ...(metadata !== undefined && { metadata }),
    v2: { ...before, ...sampling, tool_resources: { ...before.tool_resources, ...made } },
  }
}
