import type { ServedModel } from './profiles/profile.ts'
import { servedModel, type WireRoute, type World } from './world.ts'

/** `GET /v1/models` and `GET /v1/models/{id}`. */
export const models = (world: World): readonly WireRoute[] => [
  {
    method: 'GET',
    path: '/v1/models',
    family: 'models',
    handle: () => ({ json: { object: 'list', data: world.profile.models.map(shown) } }),
  },
  {
    method: 'GET',
    path: '/v1/models/:model',
    family: 'models',
    handle: ({ params }) => {
      const model = servedModel(world, params['model'])
      if (model === null) throw world.profile.refusals.unknownModel((params['model'] ?? '').slice(0, 100))
      return { json: shown(model) }
    },
  },
]

const shown = ({ id, created, ownedBy }: ServedModel) => ({ id, object: 'model', created, owned_by: ownedBy })
