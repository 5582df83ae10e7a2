import type { ServedModel } from './profiles/profile.ts'
import type { WireRoute, World } from './world.ts'

/** `GET /v1/models` and `GET /v1/models/{id}`. */
export const models = (world: World): readonly WireRoute[] => [
  {
    method: 'GET',
    path: '/v1/models',
    family: 'models',
    handle: () => ({ json: { object: 'list', data: listed(world).map(shown) } }),
  },
  {
    method: 'GET',
    path: '/v1/models/:model',
    family: 'models',
    handle: ({ params }) => {
      const model = listed(world).find(({ id }) => id === params['model'])
      if (model === undefined)
        throw world.profile.refusals.unknownModel((params['model'] ?? '').slice(0, 100))
      return { json: shown(model) }
    },
  },
]

type Listed = Pick<ServedModel, 'id' | 'created' | 'ownedBy'>

const listed = ({ profile }: World): readonly Listed[] => [...profile.models, ...profile.otherModels]

const shown = ({ id, created, ownedBy }: Listed) => ({ id, object: 'model', created, owned_by: ownedBy })
