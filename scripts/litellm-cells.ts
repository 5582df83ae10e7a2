/** Writes `test/differential/litellm-cells.json`, the prices of LiteLLM's model map that can be compared with ours:
 *
 *     node scripts/litellm-cells.ts FILE SNAPSHOT && npm run format
 *
 * FILE is a copy of the map, SNAPSHOT the day it is of. Amounts are taken from the text of the JSON, never by way of
 * a float, and written as decimals for a million units. The map itself stays outside the project. */
import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundledBook } from '../src/cli/bundled.ts'
import { parseExactJson } from '../src/pricing/overlays/exact-json.ts'
import { fromLitellm, isLitellm } from '../src/pricing/overlays/litellm.ts'
import type { PriceRow } from '../src/pricing/price-book.ts'
import { parseInstant } from '../src/time.ts'
import type { LitellmCells } from '../test/differential/litellm.ts'

const target = fileURLToPath(new URL('../test/differential/litellm-cells.json', import.meta.url))

/** A cell as written: meter, tier, the threshold it holds above or below, and what a million units cost. */
const cellOf = ({ meter, attributes, unitPrice }: PriceRow): LitellmCells['models'][string][number] => {
  const { tier, context, context_threshold_tokens: threshold, cache_ttl: cacheTtl } = attributes
  return [
    meter,
    String(tier),
    context === undefined ? '' : `${context === 'long' ? 'above' : 'to'} ${String(threshold)}`,
    cacheTtl === undefined ? '' : String(cacheTtl),
    unitPrice,
  ]
}

const [file = '', snapshot = ''] = process.argv.slice(2)
const map = parseExactJson(readFileSync(file, 'utf8'))
if (!isLitellm(map)) throw new Error(`${file} is not LiteLLM's model map`)
const at = parseInstant(snapshot)
const { files, leftOut } = fromLitellm(map, { title: 'LiteLLM', from: basename(file), at, since: at })
const providers = new Set((await bundledBook()).shelves.keys())
const rows = files.flatMap(({ provider, prices }) => (providers.has(provider) ? prices : []))
const models = Map.groupBy(rows, ({ provider, model }) => `${provider} / ${model}`)
const lines = [...models].map(
  ([model, prices]) => `    ${JSON.stringify(model)}: ${JSON.stringify(prices.map(cellOf))}`,
)
const head = {
  source: 'BerriAI/litellm, model_prices_and_context_window.json, a filtered public copy',
  snapshot,
  licence: 'MIT, Copyright (c) 2023 Berri AI; the licence stands in LICENSE.litellm beside this file',
}
const headText = JSON.stringify(head, null, 2).slice(0, -2)
writeFileSync(target, `${headText},\n  "models": {\n${lines.join(',\n')}\n  }\n}\n`)
console.log(`${rows.length} prices of ${models.size} models written; not taken:`)
for (const { what, why, models } of leftOut) console.log(`  ${what}: ${why} (${models.length})`)
