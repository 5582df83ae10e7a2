/** Compares the price book with two public price databases, tells the counts, and writes `docs/differences.md`, the
 * list of what differs and who is right:
 *
 *     node scripts/differences.ts
 *
 * Ends with 1 where a difference is not explained, or one that is explained is no longer there; both are corrected in
 * `test/differential/known-differences.json`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  comparePeers,
  differenceText,
  foundDifferences,
  type KnownDifferences,
  readKnownDifferences,
} from '../test/differential/known-differences.ts'

const page = fileURLToPath(new URL('../docs/differences.md', import.meta.url))

/** The page as it stands. */
export const readDifferencesPage = (): string => readFileSync(page, 'utf8')

/** The page as it should be. */
export const differencesPage = (known: KnownDifferences): string =>
  [
    '# Differences: where others have another price',
    '',
    "The price book is compared, cell by cell, with two public price databases: the data of the package `@pydantic/genai-prices`, and LiteLLM's model map. A cell is a provider, a model, a meter, a tier, a context and an instant; the rates are compared exactly. Where a model has ended by then, it is compared in the last second of its life. A test fails on a difference that is not in this list, and on one that is in it and has gone.",
    '',
    'Agreement proves less than it seems to: many rows of the book name one of these databases among their sources. Of a difference the sources in the rows decide; where they do not, it is open.',
    '',
    '| Other | Cells | First of them | Ours | Theirs | Right | Why |',
    '|---|---|---|---|---|---|---|',
    ...known.map(({ right, peer, why, cells }) => {
      const [first] = cells
      return `| ${peer} | ${cells.length} | ${first?.cell} | ${first?.ours} | ${first?.theirs} | ${right} | ${why.replaceAll('<', '&lt;')} |`
    }),
    '',
    'Every cell is listed in `test/differential/known-differences.json`. This page is written by `node scripts/differences.ts`, which also tells how many cells agree.',
    '',
  ].join('\n')

const tell = async (): Promise<void> => {
  const peers = await comparePeers()
  for (const [peer, { compared, onlyTheirs, onlyOurs }] of peers) {
    const equal = compared.filter((cell) => cell.equal)
    const borrowed = equal.filter((cell) => cell.borrowed)
    console.log(
      `${peer}: ${compared.length} cells compared, ${equal.length} equal (${borrowed.length} of them by rows that name one of the two among their sources), ` +
        `${compared.length - equal.length} different; only theirs ${onlyTheirs.length} cells, only ours ${onlyOurs} rows`,
    )
  }
  const known = readKnownDifferences()
  const listed = known.flatMap(({ peer, cells }) => cells.map((cell) => differenceText(peer, cell)))
  const found = foundDifferences(peers)
  const fresh = found.filter((text) => !listed.includes(text))
  const gone = listed.filter((text) => !found.includes(text))
  for (const text of fresh) console.log(`not explained: ${text}`)
  for (const text of gone) console.log(`no longer there: ${text}`)
  writeFileSync(page, differencesPage(known))
  console.log('docs/differences.md written')
  if (fresh.length + gone.length > 0) process.exitCode = 1
}

if (import.meta.main) await tell()
