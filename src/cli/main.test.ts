import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { OctroiError } from '../errors.ts'
import type { CliCommand, CommandEntry, Io } from './command.ts'
import { main } from './main.ts'

/** The outside as a test sees it: what was written, by stream. */
const outside = (): Io & { readonly written: { out: string; err: string } } => {
  const written = { out: '', err: '' }
  return {
    written,
    stdin: Readable.from([]),
    out: (text) => {
      written.out += text
    },
    err: (text) => {
      written.err += text
    },
    color: false,
    environment: {},
    signal: new AbortController().signal,
  }
}

const loaded: string[] = []

const entry = (command: CliCommand): CommandEntry => ({
  name: command.name,
  summary: command.summary,
  load: () => {
    loaded.push(command.name)
    return Promise.resolve(command)
  },
})

const greet = entry({
  name: 'greet',
  summary: 'Greets somebody',
  configure: (parser) => parser.argument('<who>').option('--loud', 'shout'),
  run: ({ args, options }, io) => {
    io.out(`${options.loud === true ? 'HELLO' : 'hello'} ${args[0]}\n`)
    return Promise.resolve(0)
  },
})

const reportSpend = entry({
  name: 'report spend',
  summary: 'Says who spent what',
  configure: (parser) => parser.option('--by <name>'),
  run: ({ options }, io) => {
    io.out(`by ${options.by}\n`)
    return Promise.resolve(4)
  },
})

const faulty = entry({
  name: 'faulty',
  summary: 'Fails',
  configure: () => {},
  run: () => Promise.reject(new OctroiError('budget_exceeded', 'The cap is reached.')),
})

const type = async (...args: string[]) => {
  const io = outside()
  loaded.length = 0
  const exit = await main(args, io, [greet, reportSpend, faulty])
  return { exit, ...io.written, loaded: [...loaded] }
}

describe('the command line', () => {
  it('runs a command with its arguments and options, and loads no other', async () => {
    expect(await type('greet', 'Ada', '--loud')).toEqual({
      exit: 0,
      out: 'HELLO Ada\n',
      err: '',
      loaded: ['greet'],
    })
  })

  it('knows commands of two words, and passes their exit code on', async () => {
    expect(await type('report', 'spend', '--by', 'team')).toMatchObject({ exit: 4, out: 'by team\n' })
  })

  it('lists every command in its help without loading one', async () => {
    const help = await type('--help')
    expect(help).toMatchObject({ exit: 0, err: '', loaded: [] })
    expect(help.out).toContain('Greets somebody')
    expect(help.out).toMatch(/report +spend: see report --help/)
  })

  it('lists the commands of a group, and the options of a command', async () => {
    expect((await type('report', '--help')).out).toContain('Says who spent what')
    for (const words of [
      ['report', 'spend', '--help'],
      ['help', 'greet'],
    ]) {
      const help = await type(...words)
      expect(help.exit).toBe(0)
      expect(help.out).toMatch(/--by <name>|--loud/)
    }
  })

  it('exits 2 for what it does not understand, says so on standard error only, and suggests', async () => {
    for (const words of [
      ['gret', 'Ada'],
      ['greet'],
      ['greet', 'Ada', '--lout'],
      ['report', 'spnd'],
      ['report'],
      [],
    ]) {
      const answer = await type(...words)
      expect(answer).toMatchObject({ exit: 2, out: '' })
      expect(answer.err).not.toBe('')
    }
    expect((await type('gret')).err).toContain('Did you mean greet?')
    expect((await type('greet', 'Ada', '--lout')).err).toContain('--loud')
  })

  it('tells a thrown error with its code and the exit of the table', async () => {
    expect(await type('faulty')).toMatchObject({
      exit: 3,
      out: '',
      err: 'octroi: The cap is reached. [budget_exceeded]\n',
    })
  })

  it('says its version', async () => {
    expect((await type('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})
