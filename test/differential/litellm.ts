import { readFileSync } from 'node:fs'
import { divide, parseDecimal, rational } from '../../src/money/rational.ts'
import { parseMeter } from '../../src/usage/meter.ts'
import type { PeerCell } from './cell.ts'

/** The prices of LiteLLM's model map, as `scripts/litellm-cells.ts` writes them: by provider and model the meter, the
 * tier, the context (`above 200000`, `to 200000`, or nothing), the lifetime of a cache or nothing, and what a million
 * units cost. */
export type LitellmCells = {
  readonly source: string
  readonly snapshot: string
  readonly licence: string
  readonly models: Readonly<Record<string, readonly (readonly [string, string, string, string, string])[]>>
}

const file = new URL('litellm-cells.json', import.meta.url)

/** Every price of the map, at the day of its snapshot. */
export const litellmCells = (): readonly PeerCell[] => {
  const { snapshot, models }: LitellmCells = JSON.parse(readFileSync(file, 'utf8'))
  return Object.entries(models).flatMap(([name, cells]) => {
    const [provider = '', ...model] = name.split(' / ')
    return cells.map(([meter, tier, context, cacheTtl, perMillion]) => ({
      peer: `LiteLLM ${snapshot}`,
      provider,
      model: model.join(' / '),
      meters: [parseMeter(meter)],
      tier,
      inputTokens: context.startsWith('above ') ? Number(context.slice(6)) + 1 : 1,
      ...(cacheTtl !== '' && { cacheTtl }),
      at: `${snapshot}T12:00:00Z`,
      rate: divide(parseDecimal(perMillion), rational(1_000_000n)),
    }))
  })
}
