import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A file as it should be. `path` is relative to the project. */
type GeneratedFile = { readonly path: string; readonly text: string }

/** The text of source files, by file name. */
type Sources = Readonly<Record<string, string>>

/** Every index that is made from a folder: one line for each file in it. Reads texts and loads nothing, so
 * that it works in a tree whose modules do not load yet. */
const generatedIndexes = (root: string): readonly GeneratedFile[] => [
  {
    path: 'src/cli/commands/index.gen.ts',
    text: commandIndexText(sourcesIn(join(root, 'src/cli/commands'), [])),
  },
  {
    path: 'src/providers/index.gen.ts',
    text: providerIndexText(sourcesIn(join(root, 'src/providers'), ['provider.ts'])),
  },
]

/** The indexes whose file is missing or says something else. */
export const staleIndexes = (root: string): readonly GeneratedFile[] =>
  generatedIndexes(root).filter(({ path, text }) => {
    const file = join(root, path)
    return !existsSync(file) || readFileSync(file, 'utf8') !== text
  })

/** Writes the index of commands: names and summaries at hand, the commands themselves behind an import. */
export const commandIndexText = (sources: Sources): string => {
  const entries = Object.entries(sources).map(([file, text]) => {
    const start = /^export const (\w+): CliCommand = \{$/m.exec(text)
    const name = /^ {2}name: (.+),$/m.exec(text)
    const summary = /^ {2}summary:\s+(.+),$/m.exec(text)
    if (start === null || name === null || summary === null) {
      throw new Error(
        `src/cli/commands/${file} must hold \`export const <name>: CliCommand = {\` with a literal name and summary.`,
      )
    }
    return { file, exportName: start[1], name: name[1] ?? '', summary: summary[1] }
  })
  const lines = entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(
      ({ file, exportName, name, summary }) =>
        `  {\n    name: ${name},\n    summary: ${summary},\n` +
        `    load: async () => (await import('./${file}')).${exportName},\n  },\n`,
    )
  return (
    `${banner('commands')}import type { CommandEntry } from '../command.ts'\n\n` +
    `/** Every command of the command line, by name. */\n` +
    `export const commandIndex: readonly CommandEntry[] = [\n${lines.join('')}]\n`
  )
}

/** Writes the index of providers: each under its id, which is the name of its file. */
export const providerIndexText = (sources: Sources): string => {
  const entries = Object.entries(sources).map(([file, text]) => {
    const id = file.replace(/\.ts$/, '')
    const exportName = id.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
    if (!text.includes(`export const ${exportName}: Provider = {\n  id: '${id}',\n`)) {
      throw new Error(`src/providers/${file} must export \`${exportName}: Provider\`, first its id '${id}'.`)
    }
    return { file, exportName, key: id === exportName ? id : `'${id}': ${exportName}` }
  })
  const imports = entries.map(({ file, exportName }) => `import { ${exportName} } from './${file}'\n`)
  return (
    `${banner('providers')}${imports.join('')}import type { Provider } from './provider.ts'\n\n` +
    `/** Every provider Octroi knows, by id. */\n` +
    `export const providers: Readonly<Record<string, Provider>> = {\n` +
    `${entries.map(({ key }) => `  ${key},\n`).join('')}}\n`
  )
}

const banner = (what: string): string =>
  `// The ${what} of this folder, one a file. Generated: run \`npm run generate\` after adding a file.\n`

/** The sources of a folder, in the order of their names: no tests, nothing generated. */
const sourcesIn = (folder: string, except: readonly string[]): Sources => {
  if (!existsSync(folder)) return {}
  const isSource = (name: string): boolean =>
    name.endsWith('.ts') && !/\.(test|gen)\.ts$/.test(name) && !except.includes(name)
  const names = readdirSync(folder).filter(isSource).sort()
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
}

const run = (args: readonly string[]): void => {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const stale = staleIndexes(root)
  if (args.includes('--check')) {
    for (const { path } of stale) console.error(`${path} is stale: run \`npm run generate\` and commit it.`)
    process.exitCode = stale.length > 0 ? 1 : 0
    return
  }
  for (const { path, text } of stale) {
    writeFileSync(join(root, path), text)
    console.log(`${path} written`)
  }
}

if (import.meta.main) run(process.argv.slice(2))
