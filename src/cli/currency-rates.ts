import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { OctroiError } from '../errors.ts'
import type { spendRoute } from '../gateway/reporting/spend.ts'
import { readSpendReport } from '../gateway/reporting/spend-reading.ts'
import { type Conversion, type Converter, convertSpend, createConverter } from '../reports/currency.ts'
import { type RateTable, readRateColumns, readRateTable } from '../reports/rate-table.ts'
import { spendJson } from '../reports/spend-json.ts'
import { parseJsonText } from './json-text.ts'

type Options = Readonly<Record<string, unknown>>

/** Reads `--currency`, `--rates` and `--rate-age`: what converts a report, or null where none is asked for. Throws
 * `bad_input` that names the option or what is wrong in the file. */
export const readConverter = async (options: Options): Promise<Converter | null> => {
  const { currency, rates } = options
  if (currency === undefined && rates === undefined) return null
  if (currency === undefined || rates === undefined) {
    throw new OctroiError(
      'bad_input',
      '--currency and --rates go together: name a currency and a file of rates.',
    )
  }
  const to = String(currency)
  if (!/^[A-Z]{3}$/.test(to)) {
    throw new OctroiError('bad_input', `--currency "${to.slice(0, 20)}" is no ISO 4217 code such as EUR.`)
  }
  const age = options['rateAge']
  if (age !== undefined && !/^\d{1,4}$/.test(String(age))) {
    throw new OctroiError(
      'bad_input',
      `--rate-age "${String(age).slice(0, 20)}" is no number of days such as 7.`,
    )
  }
  const table = await readRates(String(rates))
  return createConverter(table, { to, ...(age !== undefined && { ageDaysMax: Number(age) }) })
}

/** A report of spend that is read in another currency where the options ask for one, and what was converted once it is
 * read: null where nothing was asked for. Throws as `readConverter` does. */
export const openConversion = async (
  route: typeof spendRoute,
  options: Options,
): Promise<{ readonly route: typeof spendRoute; readonly conversion: () => Conversion | null }> => {
  const converter = await readConverter(options)
  if (converter === null) return { route, conversion: () => null }
  const convert = convertSpend(converter)
  return {
    route: {
      ...route,
      read: (source, asked) => readSpendReport(source, { ...asked, convert }),
      json: (report) => spendJson(report, converter.result()),
    },
    conversion: () => converter.result(),
  }
}

/** What a person must know of a conversion that found no rate; null where every amount had one. */
export const noRateLine = ({ to, table, noRate }: Conversion): string | null => {
  const [first] = noRate
  if (first === undefined) return null
  const more = noRate.length === 1 ? '' : ` and ${noRate.length - 1} more`
  return `octroi: the rates of ${table.id} have none to ${to} for ${first.currency} on ${first.day}${more}; these amounts stay in their own currency.\n`
}

/** Reads a file of rates. Throws `bad_input` that names it. */
export const readRates = async (file: string): Promise<RateTable> => {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new OctroiError('bad_input', `Cannot read ${file} (${error.code}). Name a file of rates.`)
  })
  return file.endsWith('.csv') ? readRateColumns(text, basename(file)) : readRateTable(parseJsonText(text))
}
