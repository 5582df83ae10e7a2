import type { TestContext } from 'vitest'

/** What a proof says of itself in the report of `npm run proof`: what was asked, and what was found. */
export type Told = { readonly asked: string; readonly found: string }

/** Puts it into the report. Called at the end of a proof: one that fails before has no `found`. */
export const tell = ({ task }: Pick<TestContext, 'task'>, told: Told): void => {
  Object.assign(task.meta, { proof: told })
}
