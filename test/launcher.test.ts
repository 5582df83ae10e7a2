import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Ended, runProgram } from './support/run.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const launcher = join(root, 'bin/octroi.mjs')
const oldNode = ['--import', new URL('./support/old-node.mjs', import.meta.url).href]

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'octroi-launcher-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const octroi = (...args: string[]): Promise<Ended> => runProgram(process.execPath, [launcher, ...args])

/** The modules that a command loads. */
const loadedFor = async (...args: string[]): Promise<readonly string[]> => {
  const file = join(folder, `loaded-${args.join('-')}`)
  const hooks = new URL('./support/tell-loaded.mjs', import.meta.url).href
  const environment = { LOADED_FILE: file }
  const ended = await runProgram(process.execPath, ['--import', hooks, launcher, ...args], { environment })
  expect(ended.exit).toBe(0)
  return readFileSync(file, 'utf8').trim().split('\n')
}

/** A program that stands in for a newer Node and says that it ran. */
const standIn = (path: string): void => {
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(
    path,
    '#!/bin/sh\n[ "$1" = --version ] && echo v24.0.0 || { echo "newer node: $*"; exit 7; }\n',
  )
  chmodSync(path, 0o755)
}

describe('the launcher', () => {
  it('prints help and version on standard output, and exits 0', async () => {
    const help = await octroi('--help')
    expect(help).toMatchObject({ exit: 0, err: '' })
    expect(help.out).toContain('Usage: octroi')
    expect(await octroi('--version')).toMatchObject({ exit: 0, err: '' })
  })

  it('exits 2 with a word on standard error for a bad command and a bad option', async () => {
    for (const args of [['nothing-of-this-name'], ['--nothing-of-this-name'], []]) {
      const ended = await octroi(...args)
      expect(ended).toMatchObject({ exit: 2, out: '' })
      expect(ended.err).not.toBe('')
    }
  })

  it('loads no command to print the help, and only the wanted one to run', async () => {
    const own = (name: string) => new RegExp(`/src/cli/commands/(?!index\\.gen)${name}`)
    const help = await loadedFor('--help')
    expect(help.filter((url) => own('').test(url))).toEqual([])
    expect(help.filter((url) => /\/src\/(?!cli\/|errors\.ts$)/.test(url))).toEqual([])
    const price = await loadedFor('price', '--help')
    expect(price.filter((url) => own('').test(url)).every((url) => own('price\\.ts$').test(url))).toBe(true)
    expect(price.some((url) => own('price').test(url))).toBe(true)
  })

  it('writes no colour into a pipe, with NO_COLOR and without', async () => {
    for (const NO_COLOR of ['1', undefined]) {
      const ended = await runProgram(process.execPath, [launcher, '--help'], { environment: { NO_COLOR } })
      expect(ended.out).not.toContain('\u001b')
    }
  })

  it('is quiet when the reader of its output has gone', async () => {
    const pipe = `"${process.execPath}" "${launcher}" --help | true; echo "left: \${PIPESTATUS[0]}"`
    for (let round = 0; round < 3; round += 1) {
      expect(await runProgram('bash', ['-c', pipe])).toMatchObject({ out: 'left: 0\n', err: '' })
    }
  })

  it('says what to do on an old Node with no newer one beside it', async () => {
    const place = join(folder, 'alone/bin/octroi.mjs')
    cpSync(launcher, place)
    const ended = await runProgram(process.execPath, [...oldNode, place, '--help'])
    expect(ended).toMatchObject({ exit: 1, out: '' })
    expect(ended.err).toContain('octroi needs Node 22.19 or newer, and this is Node 20.9.0.')
    expect(ended.err).toContain('npm install node@24')
  })

  it.each([
    ['inside the package, as in a checkout', 'a/octroi', 'a/octroi/node_modules/node/bin/node'],
    ['beside the package, as an installed one', 'b/node_modules/octroi', 'b/node_modules/node/bin/node'],
  ])('hands over to a newer Node %s, and passes its exit on', async (_, home, node) => {
    const place = join(folder, home, 'bin/octroi.mjs')
    cpSync(launcher, place)
    standIn(join(folder, node))
    const ended = await runProgram(process.execPath, [...oldNode, place, 'price', '-'])
    expect(ended).toEqual({ exit: 7, out: `newer node: ${place} price -\n`, err: '' })
  })
})

describe('the runner of tasks', () => {
  /** A checkout of this runner with one locked package, and an npm that says what it was asked. */
  const checkout = (name: string, installed: Record<string, unknown> | null): string => {
    const home = join(folder, name)
    cpSync(join(root, 'scripts/run.mjs'), join(home, 'scripts/run.mjs'))
    writeFileSync(join(home, 'scripts/generate.ts'), "console.log('ran', ...process.argv.slice(2))\n")
    writeFileSync(
      join(home, 'package-lock.json'),
      JSON.stringify({
        packages: {
          '': {},
          'node_modules/a': { version: '1.0.0' },
          'node_modules/for-another-system': { version: '1.0.0', optional: true },
        },
      }),
    )
    const npm =
      "console.error('npm', ...process.argv.slice(2))\n" +
      "const { mkdirSync, writeFileSync } = require('fs')\n" +
      "if (process.argv[2] === 'ci' && !process.env.NPM_FAILS) {\n" +
      "  mkdirSync('node_modules', { recursive: true })\n" +
      '  writeFileSync(\'node_modules/.package-lock.json\', \'{"packages":{"node_modules/a":{"version":"1.0.0"}}}\')\n' +
      '}\n' +
      'process.exit(process.env.NPM_FAILS ? 1 : 0)\n'
    writeFileSync(join(home, 'npm-cli.cjs'), npm)
    if (installed !== null) {
      mkdirSync(join(home, 'node_modules'))
      writeFileSync(join(home, 'node_modules/.package-lock.json'), JSON.stringify({ packages: installed }))
    }
    return home
  }

  const task = (home: string, args: string[], options: { old?: boolean; npmFails?: boolean } = {}) =>
    runProgram(process.execPath, [...(options.old ? oldNode : []), join(home, 'scripts/run.mjs'), ...args], {
      environment: {
        npm_execpath: join(home, 'npm-cli.cjs'),
        NPM_FAILS: options.npmFails ? '1' : undefined,
      },
    })

  const fresh = { 'node_modules/a': { version: '1.0.0' } }

  it('runs a task with its arguments, and installs nothing when all is there', async () => {
    const ended = await task(checkout('ready', fresh), ['generate', '--check'])
    expect(ended).toEqual({ exit: 0, out: 'ran --check\n', err: '' })
  })

  it.each([
    ['nothing is installed', null],
    ['another version is installed than the lock file says', { 'node_modules/a': { version: '0.9.0' } }],
    ['a package is missing', {}],
  ])('installs first when %s', async (why, installed) => {
    const home = checkout(`install ${why}`, installed)
    const ended = await task(home, ['generate'])
    expect(ended).toMatchObject({ exit: 0, out: 'ran\n' })
    expect(ended.err).toContain('npm ci --include=dev')
    expect((await task(home, ['generate'])).err).toBe('')
  })

  it('says so when the installation fails, and runs nothing', async () => {
    const ended = await task(checkout('offline', null), ['generate'], { npmFails: true })
    expect(ended).toMatchObject({ exit: 1, out: '' })
    expect(ended.err).toContain('npm ci did not succeed')
  })

  it('prefers the Node among the packages, and puts it first in PATH', async () => {
    const home = checkout('own', fresh)
    standIn(join(home, 'node_modules/node/bin/node'))
    const ended = await task(home, ['generate', '--check'], { old: true })
    expect(ended).toMatchObject({ exit: 7, err: '' })
    expect(ended.out).toBe(`newer node: ${join(home, 'scripts/generate.ts')} --check\n`)
  })

  it('says what to do where install scripts are off and the own Node is too old', async () => {
    const ended = await task(checkout('no scripts', fresh), ['generate'], { old: true })
    expect(ended).toMatchObject({ exit: 1, out: '' })
    expect(ended.err).toContain('npm rebuild node')
    expect(ended.err).toContain('Octroi needs Node 22.19 or newer, and this is Node 20.9.0.')
    expect(ended.err).toContain('install Node 24')
  })

  it('lists the tasks when it does not know one', async () => {
    const ended = await task(checkout('lost', fresh), ['strat'])
    expect(ended).toMatchObject({ exit: 1, out: '' })
    expect(ended.err).toContain('There is no task "strat". There are: start, test, check')
  })
})
