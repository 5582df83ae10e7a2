import { dayMs } from '../seal.ts'
import { type Duck, quoted } from './duck.ts'
import { type Grouped, nameColumns } from './group-sql.ts'
import type { Dimension, Group, Groups } from './grouping.ts'

/** Puts groups of what no sealed day has into the tables `extra_calls` and `extra_meters`, of the columns of `groupRows`. The
 * groups of meters have the meter as their last name. */
export const putExtra = async (
  duck: Duck,
  by: readonly Dimension[],
  groups: Readonly<Record<Grouped, Groups>>,
): Promise<void> => {
  const names = nameColumns(by).map((name, index) => {
    const type = by[index] === 'day' || by[index] === 'hour' ? 'BIGINT' : 'VARCHAR'
    return `json_extract_string(line, '$.names[${index}]')::${type} AS ${name}`
  })
  const said = (name: string, type: string): string =>
    `json_extract_string(line, ${quoted(`$.${name}`)})::${type} AS ${name}`
  const common = [...names, said('currency', 'VARCHAR'), said('basis', 'VARCHAR')]
  const amount = said('amount', 'DECIMAL(38,12)')
  const columns = {
    calls: [
      ...[...common, amount, said('calls', 'BIGINT'), said('unpriced', 'BIGINT')],
      ...[said('resent_tokens', 'HUGEINT'), said('resent_amount', 'DECIMAL(38,12)')],
    ],
    meters: [
      ...[...common, said('meter', 'VARCHAR'), said('priced', 'BOOLEAN'), said('fraction', 'VARCHAR')],
      ...[amount, said('units', 'HUGEINT'), said('times', 'BIGINT')],
    ],
  } as const satisfies Record<Grouped, readonly string[]>
  for (const grouped of ['calls', 'meters'] as const) {
    const lines = [...groups[grouped].sums.values()].map((group) => JSON.stringify(lineOf(by, group)))
    await duck.run(`CREATE TABLE lines_${grouped} (line VARCHAR)`)
    await duck.append(`lines_${grouped}`, lines)
    await duck.run(
      `CREATE TABLE extra_${grouped} AS SELECT ${columns[grouped].join(', ')} FROM lines_${grouped}`,
    )
    await duck.run(`DROP TABLE lines_${grouped}`)
  }
}

const lineOf = (by: readonly Dimension[], group: Group): object => {
  const { names, currency, basis, amount, calls, unpriced, resentTokens, resentAmount } = group
  const { numerator, denominator } = group.quantity
  const isWhole = denominator === 1n
  return {
    names: by.map((dimension, index) => numberOf(dimension, names[index] ?? null)),
    ...{ currency, basis, amount: decimalOf(amount), calls: `${calls}`, unpriced: `${unpriced}` },
    ...{ resent_tokens: `${resentTokens}`, resent_amount: decimalOf(resentAmount) },
    ...{ meter: names[by.length] ?? null, priced: `${group.isPriced}` },
    ...{
      fraction: isWhole ? null : `${numerator}/${denominator}`,
      units: isWhole ? `${numerator}` : '0',
      times: '1',
    },
  }
}

/** A day or an hour as its number. */
const numberOf = (dimension: Dimension, name: string | null): string | null => {
  if (name === null || (dimension !== 'day' && dimension !== 'hour')) return name
  return `${dimension === 'day' ? Date.parse(name) / dayMs : Date.parse(`${name}:00:00Z`) / 3_600_000}`
}

const decimalOf = (picos: bigint): string => {
  const digits = `${picos < 0n ? -picos : picos}`.padStart(13, '0')
  return `${picos < 0n ? '-' : ''}${digits.slice(0, -12)}.${digits.slice(-12)}`
}
