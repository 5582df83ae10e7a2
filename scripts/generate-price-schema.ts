/** Writes `prices/schema.json`, the JSON Schema of a price file, from `src/pricing/price-file-schema.ts`:
 *
 *     node scripts/generate-price-schema.ts */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { priceFileSchema } from '../src/pricing/price-file-schema.ts'

const file = fileURLToPath(new URL('../prices/schema.json', import.meta.url))

/** `prices/schema.json` as it should be. */
export const priceSchemaText = (): string => {
  const { $schema, ...rest } = z.toJSONSchema(priceFileSchema, { target: 'draft-2020-12', io: 'input' })
  return `${JSON.stringify({ $schema, $id: 'urn:octroi:schema:prices:1', ...rest }, null, 2)}\n`
}

/** `prices/schema.json` as it stands. */
export const writtenPriceSchema = (): string => readFileSync(file, 'utf8')

if (import.meta.main) {
  writeFileSync(file, priceSchemaText())
  console.log('prices/schema.json written')
}
