import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { command as serve } from '../src/cli/commands/serve.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const dockerfile = read('Dockerfile').replaceAll('\\\n', ' ').split('\n')
const unit = read('contrib/octroi.service').split('\n')

/** The words after an instruction, of each of its lines. */
const instructions = (name: string): readonly (readonly string[])[] =>
  dockerfile.filter((line) => line.startsWith(`${name} `)).map((line) => line.split(/\s+/).slice(1))

/** The options of `octroi serve` in a command line. */
const optionsIn = (words: readonly string[]): readonly string[] =>
  words.filter((word) => word.startsWith('--'))

const known = ((): readonly string[] => {
  const parser = new Command()
  serve.configure(parser)
  return parser.options.map(({ long }) => long ?? '')
})()

describe('the Dockerfile', () => {
  const copied = instructions('COPY')
    .filter(([first = '']) => !first.startsWith('--from'))
    .flatMap((words) => words.slice(0, -1))

  it('copies what is there, and what is not kept from it', () => {
    expect(copied).toContain('package-lock.json')
    expect(copied.filter((path) => !existsSync(join(root, path)))).toEqual([])
    const kept = read('.dockerignore').split('\n')
    expect(copied.filter((path) => !kept.includes(`!${path}`))).toEqual([])
  })

  it('holds everything that the package ships', () => {
    const { files } = JSON.parse(read('package.json')) as { files: readonly string[] }
    const inside = instructions('COPY').slice(-6).flat()
    expect(files.filter((file) => !inside.includes(file))).toEqual([])
  })

  it('runs as a user without rights, says when it is ready, and keeps its data', () => {
    expect(instructions('USER')).toEqual([['node']])
    expect(instructions('VOLUME')).toEqual([['/var/lib/octroi']])
    expect(instructions('HEALTHCHECK').flat().join(' ')).toContain('/readyz')
  })

  it('starts serve with options that it has', () => {
    const [words = '[]'] = instructions('CMD').map((line) => line.join(' '))
    const options = optionsIn(JSON.parse(words) as readonly string[])
    expect(options).toContain('--config')
    expect(options.filter((option) => !known.includes(option))).toEqual([])
  })
})

describe('the unit of systemd', () => {
  const setting = (name: string): string =>
    unit.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? ''

  it.each(['ExecStartPre', 'ExecStart'])('%s has options that serve has', (name) => {
    const options = optionsIn(setting(name).split(' '))
    expect(options).toContain('--data')
    expect(options.filter((option) => !known.includes(option))).toEqual([])
  })

  it('gives it longer to end than it waits for calls', () => {
    const drain = /--drain (\d+)s/.exec(setting('ExecStart'))?.[1]
    expect(Number(setting('TimeoutStopSec'))).toBeGreaterThan(Number(drain) + 5)
  })
})
