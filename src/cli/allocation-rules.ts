import { OctroiError } from '../errors.ts'
import { type AllocationRules, readAllocationRules } from '../reports/allocation-rules.ts'
import { readConfigFile } from './config-file.ts'
import { readJson } from './limit-states.ts'

/** Reads the rules of `--rules`, a file of them, or of `--config`, a gateway's configuration. Throws `bad_input` where
 * neither or both are named, and for rules that cannot be. */
export const readRulesAsked = async (
  options: Readonly<Record<string, unknown>>,
): Promise<AllocationRules> => {
  const { rules, config } = options
  if ((rules === undefined) === (config === undefined)) {
    throw new OctroiError(
      'bad_input',
      'Name the allocation rules: --rules FILE, or --config FILE for those of a gateway.',
    )
  }
  if (rules !== undefined) return readAllocationRules(await readJson(String(rules)))
  const { allocation } = await readConfigFile(String(config))
  if (allocation !== undefined) return readAllocationRules(allocation)
  throw new OctroiError(
    'bad_input',
    `The configuration ${String(config)} has no allocation rules. Put them under "allocation", or name a file with --rules.`,
  )
}
