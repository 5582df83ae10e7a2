import type { RunEngine } from '../run-engine.ts'
import type { WireRoute, World } from '../world.ts'
import { assistantsV2 } from './assistants-v2.ts'
import { runsV2 } from './runs-v2.ts'
import { threadsV2 } from './threads-v2.ts'
import { vectorStores } from './vector-stores.ts'

/** Every route of Assistants v2: in place of those of v1. */
export const assistantsV2Routes = (world: World, engine: RunEngine): readonly WireRoute[] => [
  ...assistantsV2(world),
  ...runsV2(world, engine),
  ...threadsV2(world, engine),
  ...vectorStores(world),
]
