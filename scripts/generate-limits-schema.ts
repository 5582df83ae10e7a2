/** Writes `prices/limits/schema.json`, the JSON Schema of a file of limits, from
 * `src/limits/vendor-limits-schema.ts`:
 *
 *     node scripts/generate-limits-schema.ts */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { limitsFileSchema } from '../src/limits/vendor-limits-schema.ts'

const file = fileURLToPath(new URL('../prices/limits/schema.json', import.meta.url))

/** `prices/limits/schema.json` as it should be. */
export const limitsSchemaText = (): string => {
  const { $schema, ...rest } = z.toJSONSchema(limitsFileSchema, { target: 'draft-2020-12', io: 'input' })
  return `${JSON.stringify({ $schema, $id: 'urn:octroi:schema:limits:1', ...rest }, null, 2)}\n`
}

/** `prices/limits/schema.json` as it stands. */
export const writtenLimitsSchema = (): string => readFileSync(file, 'utf8')

if (import.meta.main) {
  writeFileSync(file, limitsSchemaText())
  console.log('prices/limits/schema.json written')
}
