import { describe, expect, it } from 'vitest'
import { runProgram } from '../../../test/support/run.ts'
import { main } from '../main.ts'
import { commandRunner } from '../run-command.fixture.ts'
import { command } from './completion.ts'
import { commandIndex } from './index.gen.ts'

/** The script for a shell, made from the real commands. */
const script = async (shell: string): Promise<string> => {
  let out = ''
  await main(
    ['completion', shell],
    {
      stdin: process.stdin,
      out: (text) => {
        out += text
      },
      err: () => {},
      color: false,
      environment: {},
      signal: new AbortController().signal,
    },
    commandIndex,
  )
  return out
}

/** What bash offers for the last of the words. */
const offered = async (...words: readonly string[]): Promise<readonly string[]> => {
  const quoted = ['octroi', ...words].map((word) => `'${word}'`).join(' ')
  const input = `${await script('bash')}
COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; COMPREPLY=()
complete -p octroi > /dev/null && _octroi && printf '%s\\n' "\${COMPREPLY[@]}"`
  const { out, err, exit } = await runProgram('bash', ['--norc'], { input })
  expect({ err, exit }).toEqual({ err: '', exit: 0 })
  return out.trim().split('\n')
}

describe('octroi completion', () => {
  it('completes the first word', async () => {
    expect(await offered('pri')).toEqual(['price'])
    expect(await offered('')).toEqual(
      expect.arrayContaining(['book', 'plan', 'price', 'report', 'serve', '--help']),
    )
  })

  it('completes the second word of a command', async () => {
    expect(await offered('book', '')).toEqual([
      'check',
      'diff',
      'history',
      'list',
      'show',
      'sunsets',
      'update',
    ])
    expect(await offered('report', 's')).toEqual(['service-levels', 'spend'])
  })

  it('completes the options of a command, after other words too', async () => {
    expect(await offered('book', 'list', '--m')).toEqual(['--model', '--meter'])
    expect(await offered('price', 'file.json', '--as')).toEqual(['--as-of'])
  })

  it('leaves the value of an option to the shell, which knows files', async () => {
    expect(await offered('book', 'update', '--from', 'b')).toEqual([''])
  })

  it('writes every command and option for zsh and fish as well', async () => {
    for (const shell of ['zsh', 'fish']) {
      const text = await script(shell)
      for (const word of ['"book update"', 'sunsets', 'as-of']) expect(text).toContain(word)
    }
  })

  it('says which shells it knows', async () => {
    expect(await commandRunner(command)(['completion', 'tcsh'])).toEqual({
      exit: 2,
      out: '',
      err: 'octroi: There is no completion for "tcsh", only for bash, zsh, fish. [bad_input]\n',
    })
  })
})
