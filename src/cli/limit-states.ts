import { readFile } from 'node:fs/promises'
import { OctroiError } from '../errors.ts'
import { readConfig } from '../gateway/config.ts'
import { type ListedLimit, listedLimits } from '../gateway/limit-states.ts'
import { openLedger } from '../ledger/ledger.ts'
import { createAdmission } from '../limits/admit.ts'
import { clockFrom } from './clock.ts'
import { askControl, openFolderOrControl } from './control.ts'

/** Reads where the limits of a data folder stand: as the gateway that holds it counts them, or, where none runs, from
 * the balances of its ledger, against the limits of a configuration. Throws `bad_input` where nobody holds the folder
 * and no configuration is named. */
export const readLimitStates = async (
  folder: string,
  config: string | undefined,
): Promise<readonly ListedLimit[]> => {
  const { data, control } = await openFolderOrControl(folder)
  if (data === null) {
    return (await askControl<{ limits: readonly ListedLimit[] }>(control, '/octroi/v1/limits')).limits
  }
  try {
    if (config === undefined) {
      throw new OctroiError(
        'bad_input',
        `No gateway holds ${folder}, and limits stand in its configuration. Name it with --config.`,
      )
    }
    const { limits } = readConfig(await readJson(config), {})
    const admission = createAdmission(limits, await openLedger(data.database).balances())
    return listedLimits(admission.state(clockFrom(undefined).now()), 'operator')
  } finally {
    await data.database.close()
  }
}

/** Reads a file of JSON. Throws `bad_input` where it cannot be read, and `bad_json`. */
export const readJson = async (file: string): Promise<unknown> => {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new OctroiError('bad_input', `Cannot read ${file} (${error.code}). Name a file.`)
  })
  try {
    return JSON.parse(text)
  } catch {
    throw new OctroiError('bad_json', `${file} is not JSON.`)
  }
}
