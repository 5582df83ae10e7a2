import { OctroiError } from '../../errors.ts'
import { parseInstant } from '../../time.ts'
import type { PriceRow } from '../price-book.ts'
import type { Converted, Reading } from './converted.ts'
import { parseExactJson } from './exact-json.ts'
import { fromLitellm, isLitellm } from './litellm.ts'
import { fromModelsDev, isModelsDev } from './models-dev.ts'
import { type OverlayFile, readOverlayFiles } from './overlay-file.ts'

/** The formats that prices are taken over from. */
export type OverlayFormat = 'octroi' | 'litellm' | 'models-dev'

/** Price files made from a text in one of three formats, told apart by their shape. `files` of our own format are as
 * written; those of the others hold low-confidence rows that name `from` and the day. */
export type ConvertedOverlay = Omit<Converted, 'files'> & {
  readonly format: OverlayFormat
  readonly files: readonly OverlayFile[]
}

/** Reads prices of any known format. `from` names the file or address in the sources of the rows. Throws a
 * `SyntaxError` for what is not JSON, `bad_input` for a shape that is none of the three, `bad_price_row` for a price
 * file that is no good one. */
export const convertOverlay = (text: string, reading: Omit<Reading, 'title'>): ConvertedOverlay => {
  const value = parseExactJson(text)
  if (isOwn(value)) return { format: 'octroi', files: readOverlayFiles(JSON.parse(text)), leftOut: [] }
  if (isLitellm(value)) {
    return { format: 'litellm', ...fromLitellm(value, { ...reading, title: "LiteLLM's model map" }) }
  }
  if (isModelsDev(value)) {
    return { format: 'models-dev', ...fromModelsDev(value, { ...reading, title: 'models.dev' }) }
  }
  throw new OctroiError(
    'bad_input',
    `${reading.from} is none of the formats known here: a price file (schema "octroi-prices/1"), or a list of them; LiteLLM's model map; the api.json of models.dev.`,
  )
}

const isOwn = (value: unknown): boolean => {
  const first: unknown = Array.isArray(value) ? value[0] : value
  return (
    typeof first === 'object' && first !== null && String(Object(first).schema).startsWith('octroi-prices/')
  )
}

/** Price files that hold the rows of a reading and the history of the readings before. A price that is the same stays
 * the row it was; one that differs ends where the new one, which is taken from `changing`, begins; one that is not
 * there any more stays, since other databases drop what is retired. `changing` are the rows of `fresh`, at the instant
 * from which a change holds. */
export const continueOverlay = (
  before: readonly OverlayFile[],
  fresh: readonly OverlayFile[],
  changing: readonly OverlayFile[] = fresh,
): { readonly files: readonly OverlayFile[]; readonly added: number; readonly changed: number } => {
  let [added, changed] = [0, 0]
  const known = new Map(before.map((file) => [file.provider, file.prices]))
  const changes = new Map(changing.flatMap(({ prices }) => prices.map((row) => [keyOf(row), row])))
  const files = fresh.map((file) => {
    const kept = known.get(file.provider) ?? []
    known.delete(file.provider)
    const open = new Map(
      kept.filter(({ effectiveTo }) => effectiveTo === null).map((row) => [keyOf(row), row]),
    )
    const ends = new Map<PriceRow, string>()
    const prices: PriceRow[] = []
    for (const row of file.prices) {
      const old = open.get(keyOf(row))
      if (old?.unitPrice === row.unitPrice && old.per === row.per) continue
      const next = old === undefined ? row : (changes.get(keyOf(row)) ?? row)
      if (old === undefined) added += 1
      else {
        changed += 1
        ends.set(old, next.effectiveFrom)
      }
      prices.push(next)
    }
    return { ...file, prices: [...kept.flatMap((row) => ended(row, ends.get(row))), ...prices] }
  })
  const others = before.filter(({ provider }) => known.has(provider))
  return { files: [...files, ...others], added, changed }
}

/** A row with its end; none where it would end before it begins, as when one reading is set before another. */
const ended = (row: PriceRow, end: string | undefined): readonly PriceRow[] => {
  if (end === undefined) return [row]
  return parseInstant(end) <= parseInstant(row.effectiveFrom) ? [] : [{ ...row, effectiveTo: end }]
}

const keyOf = ({ provider, model, service, meter, attributes, currency }: PriceRow): string =>
  JSON.stringify([provider, model, service, meter, Object.entries(attributes).sort(), currency])
