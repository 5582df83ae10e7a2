import type { TunedModel } from './fine-tuning-objects.ts'
import type { Profile } from './profiles/profile.ts'
import type { Place, State } from './state.ts'
import type { TunableModel } from './training-file.ts'

/** What could be fine-tuned in November 2023, by the name that a request may have for it. GPT-4 could not: its
 * program was by invitation only. */
export const tunableModels: ReadonlyMap<string, TunableModel> = new Map(
  Object.entries({
    'gpt-3.5-turbo': { id: 'gpt-3.5-turbo-0613', form: 'chat', exampleTokensMax: 4096 },
    'gpt-3.5-turbo-0613': { id: 'gpt-3.5-turbo-0613', form: 'chat', exampleTokensMax: 4096 },
    'gpt-3.5-turbo-1106': { id: 'gpt-3.5-turbo-1106', form: 'chat', exampleTokensMax: 16_385 },
    'babbage-002': { id: 'babbage-002', form: 'completion', exampleTokensMax: 16_384 },
    'davinci-002': { id: 'davinci-002', form: 'completion', exampleTokensMax: 16_384 },
  } as const),
)

export const tunedPlace: Place<'tuned'> = { kind: 'tuned', parent: null }

/** A profile that also serves the models that jobs made: each as its base is, under its own name. */
export const withTunedModels = (profile: Profile, state: State): Profile => {
  const served = <M extends { readonly id: string; readonly created: number; readonly ownedBy: string }>(
    models: readonly M[],
    named: (model: M, tuned: TunedModel) => M,
  ): readonly M[] =>
    state.every('tuned').flatMap((tuned) => {
      const base = models.find(({ id }) => id === tuned.base)
      return base === undefined ? [] : [named(base, tuned)]
    })
  const owned = ({ id, created }: TunedModel) => ({ id, created, ownedBy: profile.organization })
  return {
    ...profile,
    get models() {
      return [
        ...profile.models,
        ...served(profile.models, (base, tuned) => ({ ...base, ...owned(tuned), servedAs: tuned.id })),
      ]
    },
    get otherModels() {
      return [
        ...profile.otherModels,
        ...served(profile.otherModels, (base, tuned) => ({ ...base, ...owned(tuned) })),
      ]
    },
  }
}
