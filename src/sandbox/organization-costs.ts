import { add, format, parseDecimal, zero } from '../money/rational.ts'
import type { Instant } from '../time.ts'
import { expireStores } from './assistants-v2/stores.ts'
import { vectorCharge, vectorMeter } from './assistants-v2/vector-books.ts'
import { type BilledCall, type BookRow, type Books, decimal, type RawPriceRow } from './books.ts'
import { type Bucket, type BucketQuery, groupFields } from './organization-pages.ts'
import { project } from './organization-usage.ts'
import { storageCharges, storageMeter } from './standing-books.ts'
import type { World } from './world.ts'

/** What the vendor calls a meter in a line item, and the unit of its quantity. */
const items: Readonly<Record<string, { readonly words: string; readonly unit: string }>> = {
  input_text_tokens: { words: 'input', unit: 'tokens' },
  output_text_tokens: { words: 'output', unit: 'tokens' },
  training_tokens: { words: 'training', unit: 'tokens' },
  image: { words: 'images', unit: 'images' },
  tts_characters: { words: 'speech', unit: 'characters' },
  audio_seconds: { words: 'transcription', unit: 'duration_seconds' },
  [vectorMeter]: { words: 'file search storage', unit: 'gibibyte_hours' },
  [storageMeter]: { words: 'retrieval storage', unit: 'gibibyte_hours' },
}

/** The costs of a day: one result, or one a line item. What has no price is in none of them: the books name it.
 * `amount.value` is a number, as the vendor writes it. */
export const costResults = (
  books: Books,
  calls: readonly BilledCall[],
  stored: readonly BookRow[],
  { groups, only }: BucketQuery,
): readonly unknown[] => {
  if (!(only.get('project_id') ?? [project]).includes(project) || only.has('api_key_id')) return []
  const day = books.fresh()
  for (const call of calls) day.add(call)
  const rows = [...day.rows(), ...stored].filter(({ amount }) => amount !== null)
  if (rows.length === 0) return []
  if (!groups.includes('line_item')) {
    const total = rows.reduce((sum, { amount }) => add(sum, parseDecimal(amount ?? '0')), zero)
    return [result(format(total), groups, null)]
  }
  return rows.map((row) => result(row.amount ?? '0', groups, row))
}

const result = (amount: string, groups: readonly string[], row: BookRow | null) => ({
  object: 'organization.costs.result',
  amount: { value: Number(amount), currency: 'usd' },
  ...groupFields(['line_item', 'project_id', 'api_key_id'], groups, (field) => {
    if (field === 'project_id') return project
    return field === 'line_item' && row !== null ? lineItem(row) : null
  }),
  quantity: row?.quantity ?? null,
  quantity_unit: row === null ? null : (items[row.meter]?.unit ?? null),
})

const lineItem = ({ model, meter }: BookRow): string => {
  const words = items[meter]?.words ?? meter
  return model === '' ? words : `${model}, ${words}`
}

/** What storage came to in a bucket: the books at its end, or now, less the books at its beginning, so that the
 * days of a month sum to the month. Its quantity is in gibibyte hours. A line each for assistants of v1 and for
 * vector stores, where there is any. */
export const storageIn = (world: World, prices: readonly RawPriceRow[]) => {
  const chargesOf = storageCharges(prices)
  const vectorChargeOf = vectorCharge(prices)
  return ({ from, to }: Bucket): readonly BookRow[] => {
    expireStores(world)
    const holdings = world.state.holdings()
    const vectorsUntil = (until: Instant) => vectorChargeOf(holdings, Math.min(until, world.clock.now()))
    const sumUntil = (until: Instant) => {
      const charges = chargesOf(holdings, Math.min(until, world.clock.now()))
      return {
        byteMilliseconds: charges.reduce((sum, each) => sum + each.byteMilliseconds, 0n),
        picos: charges.reduce((sum, each) => sum + each.picos, 0n),
        priced: charges.every(({ priced }) => priced),
      }
    }
    const [begin, end] = [from * 1000, to * 1000]
    return [
      ...rowOf(storageMeter, sumUntil(begin), sumUntil(end)),
      ...rowOf(vectorMeter, vectorsUntil(begin), vectorsUntil(end)),
    ]
  }
}

type Sum = { readonly byteMilliseconds: bigint; readonly picos: bigint; readonly priced: boolean }

const rowOf = (meter: string, before: Sum, after: Sum): readonly BookRow[] => {
  const byteMilliseconds = after.byteMilliseconds - before.byteMilliseconds
  if (byteMilliseconds === 0n) return []
  const row = {
    model: '',
    meter,
    calls: 0,
    quantity: Number(byteMilliseconds) / byteMillisecondsOfGibibyteHour,
    amount: after.priced ? decimal(after.picos - before.picos) : null,
    currency: 'USD',
  }
  return [row]
}

const byteMillisecondsOfGibibyteHour = 2 ** 30 * 3_600_000
