import { rename, rm, stat, writeFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { OctroiError } from '../errors.ts'
import { formatJson } from './json.ts'
import { readJson } from './limit-states.ts'

/** Reads a configuration as it is written. Throws `bad_input` and `bad_json`. */
export const readConfigFile = async (path: string): Promise<Readonly<Record<string, unknown>>> => {
  const json = await readJson(path)
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return { ...json }
  throw new OctroiError('bad_input', `The configuration ${path} is no JSON object.`)
}

/** A configuration that stands ready beside the one it is to replace. */
export type StagedConfig = {
  /** Replaces the old one as a whole: whoever reads it sees the old one or the new one. */
  readonly commit: () => Promise<void>
  readonly discard: () => Promise<void>
}

/** Writes a configuration beside the one that was read, with the same rights; one at a time. Throws `policy_outdated`
 * where another has been written meanwhile or is being written, and `bad_input` where it cannot be written. */
export const stageConfig = async (
  path: string,
  { before, after }: Readonly<Record<'before' | 'after', Readonly<Record<string, unknown>>>>,
): Promise<StagedConfig> => {
  const next = `${path}.next`
  const discard = (): Promise<void> => rm(next, { force: true })
  await attempt(path, async () => {
    const { mode } = await stat(path)
    await writeFile(next, `${formatJson(after)}\n`, { mode: mode & 0o777, flag: 'wx' })
  })
  if (!isDeepStrictEqual(await readConfigFile(path).catch(() => null), before)) {
    await discard()
    throw new OctroiError(
      'policy_outdated',
      `The configuration ${path} has changed meanwhile. Plan the policy again, and apply it.`,
    )
  }
  const commit = () =>
    attempt(path, () => rename(next, path)).catch(async (error: unknown) => {
      await discard()
      throw error
    })
  return { commit, discard }
}

const attempt = async (path: string, step: () => Promise<void>): Promise<void> => {
  try {
    await step()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') {
      throw new OctroiError(
        'policy_outdated',
        `Another octroi apply writes the configuration ${path}. Where none runs, one was broken off: remove ${path}.next.`,
      )
    }
    throw new OctroiError('bad_input', `The configuration ${path} cannot be written (${code}).`)
  }
}
