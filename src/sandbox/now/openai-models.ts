import type { Instant } from '../../time.ts'
import { shown } from '../arguments.ts'
import type { Profile } from '../profiles/profile.ts'
import { refusals2023 } from '../profiles/refusals-2023.ts'
import { Refusal } from '../refusal.ts'
import type { Exchange, Fields, WireRoute } from '../world.ts'
import type { Catalogue, LiveModel } from './catalogue.ts'
import type { LiveWorld } from './live-world.ts'

/** OpenAI of today. The words of its refusals are those of 2023 where they still are; its models are those of a
 * catalogue, and none are listed here. */
export const profileNow: Profile = {
  name: 'now',
  models: [],
  otherModels: [],
  organization: 'org-sandbox',
  apiVersion: '2020-10-01',
  chatArguments: new Set(),
  refusals: refusals2023,
}

/** The model of a request, or the vendor's refusal: of no name, of a name nothing has, of a model that was shut
 * down, of one that another wire has. */
export const openaiModel = (world: LiveWorld, body: Fields, kind: string): LiveModel => {
  const { model: name } = body
  if (name === undefined || name === null) throw refusals2023.noModel()
  if (typeof name !== 'string') throw new Refusal(400, `${shown(name)} is not of type 'string' - 'model'`)
  const found = foundOrRefused(world.catalogue, name, world.clock.now())
  if (found.kinds.has(kind)) return found
  if (kind === 'chat') throw refusals2023.notForChat()
  throw new Refusal(400, `The model \`${name.slice(0, 100)}\` is not supported at this endpoint.`, {
    param: 'model',
  })
}

/** A retired model: open-ai issue 135, 2024-03-07; node-red-contrib-openai issue 7, 2025-04-28. */
const foundOrRefused = (catalogue: Catalogue, name: string, at: Instant): LiveModel => {
  const found = catalogue.find({ vendor: 'openai', name }, at)
  const shownName = name.slice(0, 100)
  if (found === 'retired') {
    throw new Refusal(
      404,
      `The model \`${shownName}\` has been deprecated, learn more here: https://platform.openai.com/docs/deprecations`,
      { code: 'model_not_found' },
    )
  }
  if (found === 'unknown') {
    throw new Refusal(404, `The model \`${shownName}\` does not exist or you do not have access to it.`, {
      code: 'model_not_found',
    })
  }
  return found
}

/** Models that think before they answer: those of the o-series, and of GPT-5 and later but for the chat ones. */
export const thinks = ({ id }: LiveModel): boolean => /^(o\d|gpt-[5-9])/.test(id) && !id.includes('-chat')

/** Models that Chat Completions does not have: pgadmin4 issue 9795, 2026-03-27 (gpt-5-pro); n8n issue 18352. */
export const refuseResponsesOnly = ({ id }: LiveModel): void => {
  if (!/-pro$|-codex$/.test(id)) return
  throw new Refusal(404, 'This model is only supported in v1/responses and not in v1/chat/completions.', {
    param: 'model',
  })
}

/** The tier a call is served in, as the reply says it, and as it is priced: `default` is the standard one, what
 * is asked as `fast` or `priority` is answered as `priority`, or as `default` where the model has none. */
export const servedTier = (
  body: Fields,
  { tiers, id }: LiveModel,
  { ultrafast }: { readonly ultrafast: boolean },
): { readonly served: string; readonly priced: string } => {
  const asked = body['service_tier'] ?? 'auto'
  const known = ['auto', 'default', 'flex', 'fast', 'priority', 'scale', ...(ultrafast ? ['ultrafast'] : [])]
  if (typeof asked !== 'string' || !known.includes(asked)) {
    throw new Refusal(400, `Invalid service_tier argument: ${shown(asked)}.`, { param: 'service_tier' })
  }
  if (asked === 'fast' || asked === 'priority') {
    return tiers.has('priority')
      ? { served: 'priority', priced: 'priority' }
      : { served: 'default', priced: 'standard' }
  }
  if (asked !== 'flex' && asked !== 'ultrafast') return { served: 'default', priced: 'standard' }
  if (tiers.has(asked)) return { served: asked, priced: asked }
  throw new Refusal(400, `Invalid service_tier argument: ${asked} is not available for ${id}.`, {
    param: 'service_tier',
  })
}

/** `GET /v1/models` and `GET /v1/models/{id}`; and Completions, whose last models were shut down: it only refuses. */
export const openaiModels = (world: LiveWorld): readonly WireRoute[] => [
  {
    method: 'GET',
    path: '/v1/models',
    family: 'models',
    handle: () => ({
      json: { object: 'list', data: world.catalogue.list('openai', world.clock.now()).map(listed) },
    }),
  },
  {
    method: 'GET',
    path: '/v1/models/:model',
    family: 'models',
    handle: ({ params }: Exchange) => ({
      json: listed(foundOrRefused(world.catalogue, params['model'] ?? '', world.clock.now())),
    }),
  },
  {
    method: 'POST',
    path: '/v1/completions',
    family: 'completions',
    handle: ({ body }: Exchange) => {
      openaiModel(world, body, 'chat')
      // diffbot/code-gpt-docs issue 172, 2023-07-10.
      throw new Refusal(
        404,
        'This is a chat model and not supported in the v1/completions endpoint. Did you mean to use v1/chat/completions?',
        { param: 'model' },
      )
    },
  },
]

const listed = ({ id, created }: LiveModel) => ({
  id,
  object: 'model',
  created,
  owned_by: 'system',
})
