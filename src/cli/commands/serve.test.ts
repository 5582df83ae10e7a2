import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { commandRunner } from '../run-command.fixture.ts'
import { command as createKey } from './keys-create.ts'
import { command as serve } from './serve.ts'

const run = commandRunner(serve, createKey)

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'octroi-serve-'))
})
afterEach(() => rm(home, { recursive: true }))

const check = (words: readonly string[] = [], environment: Readonly<Record<string, string>> = {}) =>
  run(
    ['serve', '--check', '--data', join(home, 'data'), '--port', '0', '--control-port', '0', ...words],
    '',
    environment,
  )

const config = async (value: unknown): Promise<readonly string[]> => {
  const file = join(home, 'config.json')
  await writeFile(file, typeof value === 'string' ? value : JSON.stringify(value))
  return ['--config', file]
}

const listening = (): Promise<Server> =>
  new Promise((done) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => done(server))
  })

describe('octroi serve --check', () => {
  it('says what would run, tells no value of the environment, and makes nothing', async () => {
    const { exit, out, err } = await check(
      await config({
        providers: { openai: {}, local: { kind: 'openai', baseUrl: 'http://u:pw@127.0.0.1:9/v1' } },
      }),
      { OPENAI_API_KEY: 'sk-hush' },
    )
    expect([exit, err]).toEqual([0, 'octroi: ready to serve\n'])
    expect(out).toContain('ok    openai: calls go to https://api.openai.com/v1\n')
    expect(out).toContain('ok    openai: its key is in OPENAI_API_KEY\n')
    expect(out).toContain('ok    openai: prices of openai\n')
    expect(out).toContain('ok    local: calls go to http://127.0.0.1:9/v1\n')
    expect(out).toContain('note  local: there are no prices of local, so its calls are unpriced\n')
    expect(out).toContain('ok    calls need an Octroi key\n')
    expect(out).toContain('which is made at the start\n')
    expect(out + err).not.toMatch(/hush|pw/)
    expect(await readdir(home)).toEqual(['config.json'])
  })

  it('notes a key that is not set', async () => {
    const { exit, out } = await check()
    expect(exit).toBe(0)
    expect(out).toContain('note  openai: OPENAI_API_KEY is not set')
  })

  it('notes names in limits that nothing here has, and names like them', async () => {
    const data = join(home, 'data')
    await run(['keys', 'create', '--team', 'search', '--data', data])
    const month = { name: 'month', measure: 'cost', cap: '1', window: { calendar: 'month' } }
    const limits = [
      { ...month, match: { team: ['search', 'serach'] } },
      { ...month, name: 'all', match: { team: 'search' } },
    ]
    const written = await config({ limits, historyCaps: [{ match: { team: 'ads' }, lastMessages: 9 }] })
    const before = await readFile(join(data, 'ledger.sqlite'))
    const { exit, out } = await check(written)
    expect(exit).toBe(0)
    expect(out.split('\n').filter((line) => line.includes('(yet)'))).toEqual([
      'note  the limit "month" names what is not here: there is no team "serach" here (yet); there is "search"',
      'note  historyCaps.0 is about nothing: there is no team "ads" here (yet)',
    ])
    expect(before.equals(await readFile(join(data, 'ledger.sqlite')))).toBe(true)
  })

  it.each([
    [{ limits: Array.from({ length: 10_000 }, () => ({})) }, 'there may be at most 1,000 limits'],
    [
      {
        limits: ['1', '2'].map((cap) => ({ name: 'a', measure: 'cost', cap, window: { calendar: 'day' } })),
      },
      'Two limits have the same name',
    ],
    [{ providers: { openai: { keyVarable: 'X' } } }, 'keyVarable'],
    [{ limits: [{ name: 'a', measure: 'cost', cap: '-1', window: { calendar: 'month' } }] }, 'cap'],
    ['{"providers": ', 'not JSON'],
    [{ providers: { nobody: {} } }, 'there is no provider "nobody"'],
  ])('exits with 2 for the configuration %j', async (value, said) => {
    const { exit, err } = await check(await config(value))
    expect(exit).toBe(2)
    expect(err).toContain(said)
  })

  it('exits with 1 for calls without a key off loopback, and for a control plane without a token', async () => {
    const { exit, out, err } = await check(['--host', '0.0.0.0', '--control-host', '0.0.0.0'])
    expect([exit, err]).toEqual([1, 'octroi: 2 things to put right\n'])
    expect(out).toContain('bad   Calls without a key are taken on loopback only, not on 0.0.0.0.')
    expect(out).toContain('bad   The control plane may listen on 0.0.0.0 only with an admin token.')
  })

  it('exits with 1 for a port that is taken', async () => {
    const server = await listening()
    const { port } = server.address() as { port: number }
    const { exit, out } = await check(['--port', `${port}`])
    server.close()
    expect(exit).toBe(1)
    expect(out).toContain(`bad   cannot listen on 127.0.0.1:${port} (EADDRINUSE)\n`)
  })

  it('looks at the rights of the data folder', async () => {
    const data = join(home, 'data')
    await mkdir(data, { mode: 0o700 })
    expect((await check()).out).toContain(`ok    ledger in ${data}\n`)
    await chmod(data, 0o755)
    expect((await check()).out).toContain(`note  ledger in ${data}, which others of this machine may enter`)
    await rm(data, { recursive: true })
    await writeFile(data, '')
    const { exit, out } = await check()
    expect(exit).toBe(1)
    expect(out).toContain(`bad   ${data} is no folder that can be used\n`)
  })

  it('notes a gateway that holds the folder', async () => {
    const data = join(home, 'data')
    await mkdir(data, { mode: 0o700 })
    await writeFile(join(data, 'control.json'), '{"url":"http://127.0.0.1:8788"}')
    expect((await check()).out).toContain(
      `note  a gateway has said it holds ${data}: http://127.0.0.1:8788\n`,
    )
  })
})

describe('octroi serve', () => {
  it('says at its start which names in limits nothing here has', async () => {
    const month = { name: 'month', measure: 'cost', cap: '1', window: { calendar: 'month' } }
    const match = { provider: 'opnai', endpoint: ['chat-completions', 'chat'] }
    const place = ['--data', join(home, 'data'), '--port', '0', '--control-port', '0', '--log', 'json']
    const { exit, err } = await run(
      ['serve', ...place, ...(await config({ limits: [{ ...month, match }] }))],
      '',
      {},
      (text, end) => {
        if (text.match(/"unmatched"/g)?.length === 2) end()
      },
    )
    expect(exit).toBe(0)
    const lines = err.split('\n').filter((line) => line.includes('"unmatched"'))
    expect(lines.map((line) => JSON.parse(line).said)).toEqual([
      'the limit "month" is about nothing: there is no provider "opnai" here (yet); there is "openai"',
      'the limit "month" names what is not here: there is no endpoint "chat" here (yet)',
    ])
  })
})
