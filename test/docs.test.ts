import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Block, blockFault, blocksOf, isOptedOut, linksOf } from './support/markdown.ts'
import { runProgram } from './support/run.ts'
import { readSources } from './support/source.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const ownPages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md']
const pages = [
  ...ownPages.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') })),
  ...readSources(root, ['docs', 'src', 'prices'], '.md'),
]
const blocks = pages.flatMap(blocksOf)
const named = (block: Block): [string, Block] => [`${block.path}:${block.line}`, block]

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'octroi-docs-'))
  const program = (name: string, line: string): void => {
    writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${line}\n`)
    chmodSync(join(folder, 'bin', name), 0o755)
  }
  mkdirSync(join(folder, 'bin'))
  program('octroi', `exec "${process.execPath}" "${join(root, 'bin/octroi.mjs')}" "$@"`)
  program('npx', '[ "$1" = octroi ] || exit 127\nexec "$@"')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The lines without blanks at their ends and without empty lines at the end of all. */
const trimmed = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .trimEnd()

describe('the pages', () => {
  it('have only blocks that something checks, or that say why nothing does', () => {
    const faults = blocks.map((block) => ({ at: named(block)[0], fault: blockFault(block) }))
    expect(faults.filter(({ fault }) => fault !== null)).toEqual([])
  })

  it('link only to what exists', () => {
    const dead = pages.flatMap((page) =>
      linksOf(page)
        .filter((target) => !existsSync(join(root, target)))
        .map((target) => `${page.path} links to ${target}`),
    )
    expect(dead).toEqual([])
  })
})

const shellBlocks = blocks.filter((block) => block.language === 'sh' && !isOptedOut(block))

describe.runIf(shellBlocks.length > 0)('a shell block', () => {
  it.each(shellBlocks.map(named))('%s does what it says', { timeout: 100_000 }, async (_, block) => {
    const cwd = mkdtempSync(join(folder, 'run-'))
    const ended = await runProgram('sh', ['-e'], {
      cwd,
      input: block.text,
      timeoutMs: 90_000,
      environment: { PATH: [join(folder, 'bin'), process.env['PATH']].join(delimiter), NO_COLOR: '1' },
    })
    expect(ended).toMatchObject({ exit: 0 })
    if (block.expected !== null) expect(trimmed(ended.out)).toBe(trimmed(block.expected))
  })
})

/** A block "ts in src/providers" is checked as if it were a file of that folder. */
const homeOf = (block: Block): string => /^ts in (src\/[\w/-]+)$/.exec(block.info)?.[1] ?? '.'

const codeBlocks = blocks.filter((block) => block.language === 'ts' && !isOptedOut(block))

describe.runIf(codeBlocks.length > 0)('the TypeScript blocks', () => {
  it('are sound', async () => {
    const place = join(root, 'node_modules/.cache/octroi/docs')
    rmSync(place, { recursive: true, force: true })
    for (const block of codeBlocks) {
      const folderOfBlock = join(place, homeOf(block))
      mkdirSync(folderOfBlock, { recursive: true })
      const name = `${block.path.replace(/\W/g, '-')}-line-${block.line}.ts`
      writeFileSync(join(folderOfBlock, name), `${block.text}export {}\n`)
    }
    writeFileSync(join(place, 'tsconfig.json'), JSON.stringify(docsConfig(place)))
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const ended = await runProgram(process.execPath, [tsc, '-p', place])
    expect(ended).toMatchObject({ exit: 0, out: '' })
  })
})

const runnable = codeBlocks.filter((block) => homeOf(block) === '.')

describe.runIf(runnable.length > 0)('a TypeScript block', () => {
  const hooks = new URL('./support/octroi-from-source.mjs', import.meta.url).href

  it.each(runnable.map(named))('%s gives what it says', async (_, block) => {
    const file = join(mkdtempSync(join(folder, 'code-')), 'block.mts')
    writeFileSync(file, asserting(block.text))
    const ended = await runProgram(process.execPath, ['--import', hooks, file])
    expect(ended).toMatchObject({ exit: 0, err: '' })
  })
})

/** Turns each line `expression // => value` into a comparison that ends the program when it is not so. */
const asserting = (text: string): string =>
  text.replace(/^([^\s/].*?);? \/\/ => (.+)$/gm, (_, expression: string, value: string) => {
    const wanted = JSON.stringify(value)
    return `if (String(${expression}) !== ${wanted}) throw new Error(\`not ${value}: \${${expression}}\`)`
  })

/** Like the project's own configuration, with the package's doors led to their sources. */
const docsConfig = (place: string): unknown => {
  const rooms = ['gateway', 'ledger', 'reports', 'sandbox']
  const doors = rooms.map((room) => [`octroi/${room}`, [join(root, 'src', room, 'index.ts')]])
  return {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      rootDir: dirname(root),
      rootDirs: [root, place],
      paths: {
        octroi: [join(root, 'src/index.ts')],
        'octroi/prices/*': [join(root, 'prices/*')],
        ...Object.fromEntries(doors),
      },
      typeRoots: [join(root, 'node_modules/@types')],
    },
    include: [join(place, '**/*.ts')],
  }
}
