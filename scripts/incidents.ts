/** Writes `docs/incidents.md`, public incidents of pricing replayed: what others said a usage costs, and what it does:
 *
 *     node scripts/incidents.ts
 *
 * The incidents are those of `test/incidents.json`; amounts and rows come from the price book. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bundledBook } from '../src/cli/bundled.ts'
import { parsePriceItem, priceOfItem } from '../src/cli/price-item.ts'
import { add, format, zero } from '../src/money/rational.ts'
import type { Charge, Cost } from '../src/pricing/price.ts'
import type { PriceBook } from '../src/pricing/price-book.ts'

/** One incident whose usage is stated. `said`: the amount others gave, in USD. `item`: the usage in disjoint meters, as
 * `octroi price` takes it. `exact`: what it costs. */
export type Incident = {
  readonly source: string
  readonly what: string
  readonly said: string
  readonly item: Readonly<Record<string, unknown>>
  readonly exact: string
}

/** Incidents, and those of which only the outcome is stated. */
export type Incidents = {
  readonly incidents: readonly Incident[]
  readonly withoutUsage: readonly { readonly source: string; readonly stated: string }[]
}

const data = fileURLToPath(new URL('../test/incidents.json', import.meta.url))
const page = fileURLToPath(new URL('../docs/incidents.md', import.meta.url))

/** The incidents, as kept in the project. */
export const readIncidents = (): Incidents => JSON.parse(readFileSync(data, 'utf8'))

/** The page as it stands. */
export const readIncidentsPage = (): string => readFileSync(page, 'utf8')

/** What the usage of an incident costs by the book, exact, and its charges. */
export const replay = (
  { item }: Incident,
  book: PriceBook,
): { readonly exact: string; readonly cost: Cost } => {
  const cost = priceOfItem(parsePriceItem(item), book)
  return { exact: format(cost.charges.reduce((sum, charge) => add(sum, charge.exact), zero)), cost }
}

/** The page as it should be. */
export const incidentsPage = ({ incidents, withoutUsage }: Incidents, book: PriceBook): string =>
  [
    '# Incidents: what others said, and what is exact',
    '',
    `Public incidents of pricing, ${incidents.length} of which state what was used. Each is replayed: the usage goes through the price book, at the prices of its day, and the last column has the charges, each with its quantity, price and row. Amounts are in USD. \`octroi book show MODEL\` has the source of every row.`,
    '',
    '| Where | When, which model | They said | Exact | What happened | Charges |',
    '|---|---|---|---|---|---|',
    ...incidents.map((incident) => {
      const { exact, cost } = replay(incident, book)
      const { provider, model, at } = incident.item
      const name = [provider, model ?? 'any model'].join(' / ')
      const charges = cost.charges.map(chargeText).join('<br>')
      return `| ${incident.source} | ${String(at)}, ${name} | ${incident.said} | **${exact}** | ${incident.what} | ${charges} |`
    }),
    '',
    '## Without their usage',
    '',
    'Of these only the outcome is stated, so there is nothing to replay.',
    '',
    '| Where | What is stated |',
    '|---|---|',
    ...withoutUsage.map(({ source, stated }) => `| ${source} | ${stated} |`),
    '',
    'This page is written by `node scripts/incidents.ts` from `test/incidents.json`; numbers with # are issues and pull requests on GitHub, vectors are those of `test/vectors/pricing/pricing.json`.',
    '',
  ].join('\n')

const chargeText = ({ meter, quantity, unitPrice, per, price: row }: Charge): string => {
  const count = typeof quantity === 'number' ? String(quantity) : format(quantity)
  return `${meter} ${count} × ${unitPrice} / ${per} (\`${row}\`)`
}

if (import.meta.main) {
  writeFileSync(page, incidentsPage(readIncidents(), await bundledBook()))
  console.log('docs/incidents.md written')
}
