import type { Profile } from '../profiles/profile.ts'
import { models2024 } from './models-2024.ts'
import { withRefusalsOfV2 } from './refusals-v2.ts'

/** A vendor that speaks Assistants v2: with the models of 2024, unless it has one of that name, and with the words of
 * v2 where it refuses. */
export const withAssistantsV2 = (profile: Profile): Profile => ({
  ...profile,
  models: [
    ...profile.models,
    ...models2024.filter(({ id }) => profile.models.every((model) => model.id !== id)),
  ],
  refusals: withRefusalsOfV2(profile.refusals),
})
