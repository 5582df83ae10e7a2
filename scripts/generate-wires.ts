/** Writes `docs/wires.md`, the table of every call that is billed and where its usage is:
 *
 *     node scripts/generate-wires.ts
 *
 * The rows are those of `test/scenarios/wires.json`, and one for each scenario that is not there, which says in its
 * head what `call:` it is and where its `usage at:` is. A row is covered by the scenario of its name, or by the later
 * issue it names. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** One kind of call, and where its reply says what it used. `later` is the issue that covers it, and `why` it
 * waits. `added`: not in the survey. */
export type WireRow = {
  readonly id: string
  readonly call: string
  readonly mode: string
  readonly usage: string
  readonly later?: number
  readonly why?: string
  readonly added?: true
}

export type Wires = { readonly source: string; readonly rows: readonly WireRow[] }

const scenarios = fileURLToPath(new URL('../test/scenarios/', import.meta.url))
const page = fileURLToPath(new URL('../docs/wires.md', import.meta.url))

/** The rows, as kept in the project and as its scenarios say. */
export const readWires = (): Wires =>
  withScenarios(JSON.parse(readFileSync(`${scenarios}wires.json`, 'utf8')), readScenarios())

/** The rows, and one for each scenario that has none. */
export const withScenarios = (wires: Wires, texts: ReadonlyMap<string, string>): Wires => {
  const known = new Set(wires.rows.map(({ id }) => id))
  const added = [...texts].flatMap(([id, text]): WireRow[] =>
    known.has(id)
      ? []
      : [{ id, call: headField(text, 'call'), mode: '', usage: headField(text, 'usage at'), added: true }],
  )
  return { ...wires, rows: [...wires.rows, ...added] }
}

const headField = (text: string, name: string): string =>
  new RegExp(`^${name}: (.+)$`, 'm').exec(text)?.[1] ?? ''

/** The text of every scenario, by its name. */
export const readScenarios = (): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(scenarios)
      .filter((name) => name.endsWith('.txt'))
      .sort()
      .map((name) => [name.replace(/\.txt$/, ''), readFileSync(scenarios + name, 'utf8')]),
  )

/** The page as it stands. */
export const readPage = (): string => readFileSync(page, 'utf8')

/** The page as it should be. */
export const wiresPage = ({ source, rows }: Wires, texts: ReadonlyMap<string, string>): string => {
  const covered = rows.filter(({ id }) => texts.has(id))
  const surveyed = rows.filter(({ added }) => !added)
  return `${[
    '# Wires: where a reply says what it cost',
    '',
    `Every kind of call that an AI API bills or could bill, ${surveyed.length} from a survey and ${rows.length - surveyed.length} of our own; where its usage stands; and what shows that Octroi reads it. ${covered.length} are read today, each with a scenario: a file with the vendor's reply, whole and streamed, what it used and what that cost. The others name the issue that will cover them.`,
    '',
    'The same object may be read many times, by polling, by retrieving it, in a resumed stream. Its id comes with the reading, and the same id is the same charge.',
    '',
    `${source}.`,
    '',
    '| Row | Call | Usage | Covered by |',
    '|---|---|---|---|',
    ...rows.map(
      (row) => `| \`${row.id}\` | ${cell(row.call)} | ${cell(row.usage)} | ${coverage(row, texts)} |`,
    ),
    '',
    'This page is written by `node scripts/generate-wires.ts`.',
  ].join('\n')}\n`
}

const coverage = ({ id, later, why }: WireRow, texts: ReadonlyMap<string, string>): string => {
  const text = texts.get(id)
  if (text === undefined) return `issue ${later}: ${cell(why ?? '')}`
  return `[${headField(text, 'endpoint')} of ${headField(text, 'provider')}](../test/scenarios/${id}.txt)`
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;')

if (import.meta.main) {
  writeFileSync(page, wiresPage(readWires(), readScenarios()))
  console.log('docs/wires.md written')
}
