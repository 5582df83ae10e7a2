import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { build } from '../scripts/build.ts'
import { runProgram } from './support/run.ts'
import { readSources } from './support/source.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** A project that has installed the packed package. Its place lets our dependencies be found above it. */
const consumer = join(root, 'node_modules/.cache/octroi/consumer')
const installed = join(consumer, 'node_modules/octroi')

type Manifest = {
  readonly version: string
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
}
const manifest: Manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

let packed: readonly string[] = []

beforeAll(async () => {
  await build()
  rmSync(consumer, { recursive: true, force: true })
  mkdirSync(installed, { recursive: true })
  const npm = await runProgram(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', consumer],
    {
      cwd: root,
      timeoutMs: 60_000,
    },
  )
  if (npm.exit !== 0) throw new Error(npm.err)
  const [tarball] = Object.values<{ filename: string; files: { path: string }[] }>(JSON.parse(npm.out))
  if (tarball === undefined) throw new Error('npm packed nothing.')
  packed = tarball.files.map(({ path }) => path)
  const archive = join(consumer, tarball.filename)
  const tar = await runProgram('tar', ['-xzf', archive, '-C', installed, '--strip-components=1'])
  if (tar.exit !== 0) throw new Error(tar.err)
  writeFileSync(join(consumer, 'package.json'), '{"type":"module","private":true}\n')
}, 120_000)

/** Runs a module of the consumer's, and gives what it printed. */
const consume = async (code: string): Promise<string> => {
  const ended = await runProgram(process.execPath, ['--input-type=module', '-e', code], { cwd: consumer })
  expect(ended).toMatchObject({ exit: 0, err: '' })
  return ended.out
}

describe('the packed package', () => {
  it('holds what runs, the prices, the schemas, the licence and the readme, and nothing of the workshop', () => {
    for (const path of ['bin/octroi.mjs', 'dist/index.js', 'dist/index.d.ts', 'LICENSE', 'README.md']) {
      expect(packed).toContain(path)
    }
    const strangers = packed.filter(
      (path) =>
        !/^(?:(?:bin|dist|prices|schemas)\/|LICENSE$|(?:README|CHANGELOG)\.md$|package\.json$)/.test(path) ||
        /\.test\.|(?<!\.d)\.ts$/.test(path),
    )
    expect(strangers).toEqual([])
  })

  it('carries every SQL file beside its module', () => {
    const wanted = readSources(root, ['src'], '.sql').map(({ path }) => path.replace(/^src/, 'dist'))
    expect(packed.filter((path) => path.endsWith('.sql')).sort()).toEqual([...wanted].sort())
  })

  it('has a file behind every door', () => {
    const files = Object.values(manifest.exports)
      .flatMap((door) => (typeof door === 'string' ? [door] : [door.types, door.default]))
      .filter((path) => !path.includes('*'))
    expect(files.filter((path) => !existsSync(join(installed, path)))).toEqual([])
  })

  it('opens every door by its name', async () => {
    for (const [door, target] of Object.entries(manifest.exports)) {
      if (typeof target === 'string') continue
      const specifier = JSON.stringify(`octroi${door.slice(1)}`)
      const exported = await consume(`console.log(Object.keys(await import(${specifier})).length)`)
      expect(Number(exported), door).toBeGreaterThan(0)
    }
  })

  it('computes: exact decimals come out as they went in', async () => {
    const code =
      "import { add, format, parseDecimal } from 'octroi'\n" +
      "console.log(format(add(parseDecimal('0.1'), parseDecimal('0.2'))))"
    expect(await consume(code)).toBe('0.3\n')
  })

  it('gives the prices as JSON', async () => {
    const code =
      "import openai from 'octroi/prices/openai.json' with { type: 'json' }\n" +
      'console.log(openai.provider, openai.prices.length > 0)'
    expect(await consume(code)).toBe('openai true\n')
  })

  it('runs its command line', async () => {
    const ended = await runProgram(process.execPath, [join(installed, 'bin/octroi.mjs'), '--version'])
    expect(ended).toEqual({ exit: 0, out: `${manifest.version}\n`, err: '' })
  })

  it('has types that a strict consumer can check against', async () => {
    const code =
      "import { format, parseDecimal } from 'octroi'\nexport const text: string = format(parseDecimal('1'))\n"
    const wrong = "import { format } from 'octroi'\n// @ts-expect-error a number is no Rational\nformat(1)\n"
    writeFileSync(join(consumer, 'right.ts'), code)
    writeFileSync(join(consumer, 'wrong.ts'), wrong)
    const options = [
      '--ignoreConfig',
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2024',
      '--types',
      '',
    ]
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const ended = await runProgram(process.execPath, [tsc, ...options, 'right.ts', 'wrong.ts'], {
      cwd: consumer,
    })
    expect(ended).toMatchObject({ exit: 0, out: '' })
  })
})

/** Every module that an import loads, the module itself and its dependencies included. */
const loadedBy = async (specifier: string): Promise<readonly string[]> => {
  const code =
    "import { registerHooks } from 'node:module'\n" +
    'const urls = []\n' +
    'const resolve = (name, context, next) => {\n' +
    '  const found = next(name, context)\n' +
    '  urls.push(found.url)\n' +
    '  return found\n' +
    '}\n' +
    'registerHooks({ resolve })\n' +
    `await import(${JSON.stringify(specifier)})\n` +
    'console.log(JSON.stringify(urls))\n'
  return JSON.parse(await consume(code))
}

describe('the library', () => {
  it('loads no module of Node, nor does anything it imports', async () => {
    const urls = await loadedBy('octroi')
    expect(urls.length).toBeGreaterThan(3)
    expect(urls.filter((url) => !url.startsWith('file:'))).toEqual([])
  })

  it('is told by the same measure from what does', async () => {
    expect(await loadedBy('./node_modules/octroi/dist/cli/main.js')).toContain('node:fs')
  })
})
