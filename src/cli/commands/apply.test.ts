import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI, { APIError } from 'openai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startWorld } from '../../../test/support/world.ts'
import { findRunningRules } from '../apply-rules.ts'
import { commandRunner } from '../run-command.fixture.ts'
import { command as apply } from './apply.ts'
import { command as create } from './keys-create.ts'
import { command as list } from './keys-list.ts'

const run = commandRunner(apply, create, list)

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octroi-apply-'))
})
afterEach(() => rm(folder, { recursive: true }))

const data = (): string => join(folder, 'data')
const config = (): string => join(folder, 'octroi.json')

const applied = async (policy: object, ...words: string[]) => {
  const file = join(folder, 'policy.json')
  await writeFile(file, JSON.stringify(policy))
  return run(['apply', file, '--data', data(), ...words])
}

const appliedJson = async (policy: object, ...words: string[]) => {
  const { exit, out } = await applied(policy, ...words, '--json')
  expect(exit).toBe(0)
  const { changes, created, ...rest } = JSON.parse(out)
  const told = changes.map((each: { name: string; change: string }) => `${each.name} ${each.change}`)
  return { ...rest, changes, told, created }
}

const keys = async () => JSON.parse((await run(['keys', 'list', '--data', data(), '--json'])).out)

const month = { name: 'month', measure: 'cost', cap: '10', window: { calendar: 'month' } }

describe('a policy', () => {
  const policy = { keys: [{ name: 'search', team: 'search', models: ['gpt-4*'] }, { name: 'lab' }] }

  it('is shown before it acts: a plan makes nothing, not even a folder', async () => {
    const { exit, out, err } = await applied(policy, '--plan')
    expect([exit, out]).toEqual([0, '+ key          created   search\n+ key          created   lab\n'])
    expect(err).toBe('octroi: 2 would change; nothing was written, 0 unchanged\n')
    expect(await readdir(folder)).toEqual(['policy.json'])
  })

  it('makes its keys, tells each secret once, and the second time changes nothing', async () => {
    const first = await applied(policy)
    expect(first.out.match(/^(search|lab): oct_[\w-]{43}$/gm)).toHaveLength(2)
    const before = await keys()
    const second = await applied(policy)
    expect(second).toMatchObject({ out: '', err: 'octroi: 0 changed, 2 unchanged\n' })
    expect(await keys()).toEqual(before)
  })

  it('changes what differs, takes away what it leaves out, and revokes keys that are not in it', async () => {
    await applied(policy)
    await run(['keys', 'create', '--team', 'forgotten', '--data', data()])
    const next = { keys: [{ name: 'search', team: 'search', tags: { a: '1' }, allowUnmetered: true }] }
    const { told, changes, created } = await appliedJson(next)
    const [, , nameless] = await keys()
    expect(told).toEqual(['search changed', 'lab revoked', `${nameless.id} revoked`])
    expect(changes[0].fields.toSorted()).toEqual(['allowUnmetered', 'models', 'tags'])
    expect(created).toEqual([])
    expect(await keys()).toMatchObject([
      { name: 'search', models: null, tags: { a: '1' }, allowUnmetered: true, revokedAt: null },
      { name: 'lab', revokedAt: expect.any(String) },
      { team: 'forgotten', revokedAt: expect.any(String) },
    ])
    expect((await appliedJson(next)).told).toEqual(['search unchanged'])
    const spooling = { keys: [{ ...next.keys[0], onLedgerFailure: { spool: '5.00' } }] }
    expect((await appliedJson(spooling)).changes).toMatchObject([
      { name: 'search', fields: ['onLedgerFailure'] },
    ])
    expect((await appliedJson(spooling)).told).toEqual(['search unchanged'])
    expect((await appliedJson(next)).told).toEqual(['search changed'])
  })

  it('leaves alone what it does not name', async () => {
    await applied(policy)
    await writeFile(config(), JSON.stringify({ anonymous: false, limits: [month] }))
    const { told } = await appliedJson({ unmetered: { default: 'refuse' } }, '--config', config())
    expect(told).toEqual(['unmetered changed'])
    const { anonymous, limits } = JSON.parse(await readFile(config(), 'utf8'))
    expect([anonymous, limits]).toEqual([false, [month]])
    expect((await keys()).filter((key: { revokedAt: null }) => key.revokedAt === null)).toHaveLength(2)
  })

  it('puts limits into the configuration, and says that no gateway runs that could be told', async () => {
    await writeFile(config(), JSON.stringify({ limits: [month, { ...month, name: 'gone' }] }))
    const next = {
      limits: [
        { ...month, cap: '5' },
        { ...month, name: 'new' },
      ],
    }
    const plan = await applied(next, '--config', config(), '--plan')
    expect(plan.out).toBe(
      '~ limit        changed   month (cap: "10" -> "5")\n+ limit        created   new\n- limit        removed   gone\n',
    )
    expect(JSON.parse(await readFile(config(), 'utf8')).limits).toHaveLength(2)
    const { restart, applied: isApplied } = await appliedJson(next, '--config', config())
    expect([restart, isApplied]).toEqual([true, true])
    expect(JSON.parse(await readFile(config(), 'utf8'))).toEqual(next)
    expect(await appliedJson(next, '--config', config())).toMatchObject({ restart: false })
  })

  it('says from what to what a field of a key, a limit or a rule changes', async () => {
    await applied({ keys: [{ name: 'search', models: ['gpt-4*'] }] })
    await writeFile(config(), JSON.stringify({ limits: [{ ...month, warnAt: [0.5] }] }))
    const next = {
      keys: [{ name: 'search', team: 'search' }],
      limits: [{ ...month, cap: '5' }],
      historyCaps: [{ lastMessages: 3 }],
    }
    const { out } = await applied(next, '--config', config(), '--plan')
    expect(out.split('\n')).toEqual([
      '~ key          changed   search (models: ["gpt-4*"] -> none, team: none -> "search")',
      '~ limit        changed   month (cap: "10" -> "5", warnAt: [0.5] -> none)',
      '~ historyCaps  changed   historyCaps (historyCaps: [] -> [{"match":{},"lastMessages":3}])',
      '',
    ])
    const { changes } = await appliedJson(next, '--config', config())
    expect(changes[1]).toMatchObject({
      fields: ['cap', 'warnAt'],
      values: [
        { field: 'cap', from: '10', to: '5' },
        { field: 'warnAt', from: [0.5], to: null },
      ],
    })
  })

  it('says before it acts which names in limits nothing here has, or will have with its keys', async () => {
    await writeFile(config(), '{}')
    const limits = [
      { ...month, match: { team: 'serach' } },
      { ...month, name: 'b', match: { team: 'search', model: 'gtp-4o' } },
    ]
    const { err } = await applied(
      { keys: [{ name: 'a', team: 'search' }], limits },
      '--config',
      config(),
      '--plan',
    )
    expect(err.split('\n').slice(0, 2)).toEqual([
      'octroi: the limit "month" is about nothing: there is no team "serach" here (yet); there is "search"',
      'octroi: the limit "b" is about nothing: there is no model "gtp-4o" here (yet); there is "gpt-4o", "gpt-4"',
    ])
    await run(['keys', 'create', '--team', 'serach', '--data', data()])
    const { warnings } = await appliedJson({ limits: limits.slice(0, 1) }, '--config', config())
    expect(warnings).toEqual([])
  })

  it.each([
    [{ keys: [{ team: 'a' }] }, 'keys.0.name'],
    [{ keys: [{ name: 'a' }, { name: 'a' }] }, 'two keys named "a"'],
    [{ colour: 'red' }, 'colour'],
    [{ limits: [{ ...month, cap: 5 }] }, 'cap'],
    [{ unmetered: { default: 'maybe' } }, 'unmetered.default'],
  ])('that cannot be used changes nothing: %j', async (wrong, said) => {
    await writeFile(config(), '{}')
    const { exit, err } = await applied({ keys: [{ name: 'b' }], ...wrong }, '--config', config())
    expect(exit).toBe(2)
    expect(err).toContain(said)
    expect(await keys()).toEqual([])
    expect(await readFile(config(), 'utf8')).toBe('{}')
  })

  it('wants to know the configuration that its limits stand in', async () => {
    const { exit, err } = await applied({ limits: [month] })
    expect([exit, err.includes('--config')]).toEqual([2, true])
  })

  it('refuses to guess which of two keys of one name is meant', async () => {
    for (const _ of [1, 2]) await run(['keys', 'create', '--name', 'search', '--data', data()])
    const { exit, err } = await applied(policy)
    expect([exit, err.includes('two keys named "search"')]).toEqual([2, true])
  })
})

describe('a policy and a gateway', () => {
  const hello = { model: 'gpt-4-1106-preview', messages: [{ role: 'user' as const, content: 'Hello' }] }

  it('opens and closes keys of a gateway that runs, at once', async () => {
    const world = await startWorld({ folder: data(), gateway: { controlPort: 0 } })
    try {
      const { controlUrl, url } = world.gateway
      await writeFile(join(data(), 'control.json'), JSON.stringify({ url: controlUrl, token: null }))
      const { created } = await appliedJson({ keys: [{ name: 'search' }] })
      const client = new OpenAI({ apiKey: created[0].secret, baseURL: `${url}/v1`, maxRetries: 0 })
      await client.chat.completions.create(hello)
      expect((await appliedJson({ keys: [] })).told).toEqual(['search revoked'])
      await expect(client.chat.completions.create(hello)).rejects.toMatchObject({ status: 401 })
    } finally {
      await world.close()
    }
  })

  it('puts limits in force in a gateway that runs, and says where one is lowered below what is spent', async () => {
    await writeFile(config(), JSON.stringify({ limits: [month] }))
    const world = await startWorld({
      folder: data(),
      config: { limits: [month] },
      gateway: { controlPort: 0 },
    })
    try {
      const { controlUrl } = world.gateway
      await writeFile(join(data(), 'control.json'), JSON.stringify({ url: controlUrl, token: null }))
      await (await world.client('search')).chat.completions.create({ ...hello, max_tokens: 10 })
      const next = { limits: [{ ...month, cap: '0.000001' }] }
      const plan = await applied(next, '--config', config(), '--plan')
      expect(plan.err).toMatch(
        /^octroi: the new cap of "month", 0\.000001 USD, is below what counts already: 0\.\d+ settled, 0 held, 0 unresolved$/m,
      )
      expect(world.gateway.limits()).toMatchObject([{ cap: 10_000_000_000_000n }])
      const { restart, warnings } = await appliedJson(next, '--config', config())
      expect([restart, warnings]).toEqual([false, [expect.stringContaining('"month"')]])
      expect(world.gateway.limits()).toMatchObject([{ cap: 1_000_000n, free: 0n }])
      expect(JSON.parse(await readFile(config(), 'utf8'))).toEqual(next)
      expect(await readdir(folder)).not.toContain('octroi.json.next')
      const raised = await applied({ limits: [month] }, '--config', config())
      expect(raised.err).toContain('in force in the gateway that runs')
      expect(world.gateway.limits()).toMatchObject([{ cap: 10_000_000_000_000n }])
    } finally {
      await world.close()
    }
  })

  it('changes neither file nor gateway where another changed the rules meanwhile', async () => {
    await writeFile(config(), JSON.stringify({ limits: [month] }))
    const world = await startWorld({
      folder: data(),
      config: { limits: [month] },
      gateway: { controlPort: 0 },
    })
    try {
      const { controlUrl } = world.gateway
      await writeFile(join(data(), 'control.json'), JSON.stringify({ url: controlUrl, token: null }))
      const running = await findRunningRules(data())
      const other = await findRunningRules(data())
      await other?.put({ limits: [{ ...month, cap: '20' }] })
      await expect(running?.put({ limits: [] })).rejects.toMatchObject({ code: 'policy_outdated' })
      expect(world.gateway.limits()).toMatchObject([{ cap: 20_000_000_000_000n }])
      const caps = Array.from({ length: 4 }, (_, at) => `${at + 1}`)
      const files = caps.map((cap) => join(folder, `policy-${cap}.json`))
      await Promise.all(
        caps.map((cap, at) => writeFile(files[at] ?? '', JSON.stringify({ limits: [{ ...month, cap }] }))),
      )
      const ended = await Promise.all(
        files.map((file) => run(['apply', file, '--data', data(), '--config', config()])),
      )
      const done = ended.filter(({ exit }) => exit === 0)
      expect(done.length).toBeGreaterThan(0)
      for (const { exit, err } of ended) {
        if (exit === 0) continue
        expect([exit, err]).toEqual([1, expect.stringMatching(/changed meanwhile|Another octroi apply/)])
      }
      const [{ cap }] = JSON.parse(await readFile(config(), 'utf8')).limits
      expect(world.gateway.limits()).toMatchObject([{ cap: BigInt(cap) * 1_000_000_000_000n }])
    } finally {
      await world.close()
    }
  })

  it('says without one, from the ledger, where a cap is lowered below what is spent', async () => {
    const total = { ...month, window: { calendar: 'total' } }
    await writeFile(config(), JSON.stringify({ limits: [total] }))
    const world = await startWorld({ folder: data(), config: { limits: [total] } })
    await (await world.client('search')).chat.completions.create({ ...hello, max_tokens: 10 })
    await world.close()
    const next = { limits: [{ ...total, cap: '0.000001' }] }
    const { err } = await applied(next, '--config', config(), '--plan')
    expect(err).toMatch(
      /^octroi: the new cap of "month", 0\.000001 USD, is below what counts already: 0\.\d+ settled, 0 held, 0 unresolved$/m,
    )
  })

  it('keeps what was spent where a limit is lowered below it, and begins anew under another name', async () => {
    const start = (limit: object) =>
      startWorld({ folder: data(), config: { limits: [{ ...month, ...limit }] } })
    const ask = async (limit: object): Promise<readonly [number, string, boolean]> => {
      const world = await start(limit)
      try {
        const client = await world.client('search')
        const status = await client.chat.completions.create({ ...hello, max_tokens: 10 }).then(
          () => 200,
          (error: unknown) => (error instanceof APIError ? (error.status ?? 0) : 0),
        )
        const [state] = world.gateway.limits()
        return [status, state?.limit ?? '', (state?.over ?? 0n) > 0n]
      } finally {
        await world.close()
      }
    }
    expect(await ask({})).toEqual([200, 'month', false])
    expect(await ask({ cap: '0.000001' })).toEqual([402, 'month', true])
    expect(await ask({ name: 'other', cap: '1' })).toEqual([200, 'other', false])
    expect(await ask({ cap: '1' })).toEqual([200, 'month', false])
  })
})
