/** Converts a drop of price facts (a JSON array of rows in snake case) into `prices/`, one file a provider:
 *
 *     node scripts/convert-prices.ts FILE
 *
 * and records the proof that every fact of the drop is there. Without FILE the files' own facts are converted again,
 * which puts rows corrected by hand in order and renews the proof. Nothing is written unless the book opens. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { openPriceBook, type PriceFile } from '../src/pricing/price-book.ts'
import { factOf, filesOf, proofOf, textOf } from './price-drop.ts'
import type { Fact } from './price-sentences.ts'

const root = new URL('../', import.meta.url)
const read = (path: string | URL): unknown => JSON.parse(readFileSync(path, 'utf8'))
const write = (path: string, text: string): void => writeFileSync(new URL(path, root), text)

const ownFacts = (): readonly Fact[] =>
  readdirSync(new URL('prices/', root))
    .filter((name) => name.endsWith('.json') && name !== 'schema.json')
    .flatMap((name) => (read(new URL(`prices/${name}`, root)) as PriceFile).prices.map(factOf))

const file = process.argv[2]
const facts = file === undefined ? ownFacts() : (read(file) as readonly Fact[])
const files = filesOf(facts)
openPriceBook(files)
for (const one of files) {
  write(`prices/${one.provider}.json`, textOf(one))
  console.log(`prices/${one.provider}.json: ${one.prices.length} rows`)
}
write('test/vectors/pricing/drop.json', `${JSON.stringify(proofOf(facts), null, 2)}\n`)
