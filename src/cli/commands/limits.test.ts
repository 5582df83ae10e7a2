import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startWorld } from '../../../test/support/world.ts'
import { commandRunner } from '../run-command.fixture.ts'
import { command as list } from './limits-list.ts'
import { command as test } from './limits-test.ts'

const run = commandRunner(list, test)

let folder: string
let policy: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octroi-limits-'))
  policy = join(folder, 'policy.json')
})
afterEach(() => rm(folder, { recursive: true }))

const limits = [
  { name: 'all', measure: 'cost', cap: '10', window: { calendar: 'total' } },
  { name: 'calls', measure: 'requests', cap: '5', window: { calendar: 'total' }, each: ['team'] },
]

const valid = async (schema: string, out: string) => {
  const text = await readFile(new URL(`../../../schemas/${schema}-1.json`, import.meta.url), 'utf8')
  const validate = new Ajv2020({ allErrors: true }).compile(JSON.parse(text))
  const value = JSON.parse(out)
  expect(validate(value) ? [] : validate.errors).toEqual([])
  return value
}

/** A folder with two calls of 0.00069 USD each, held at 0.12371, a minute apart. `during`: while the gateway runs. */
const twoCalls = async (during: () => Promise<void> = async () => {}): Promise<void> => {
  const world = await startWorld({
    folder,
    config: { limits },
    sandbox: { outputTokens: 20 },
    gateway: { controlPort: 0 },
  })
  try {
    const client = await world.client('search')
    const body = {
      model: 'gpt-4-1106-preview',
      messages: [{ role: 'user' as const, content: 'Hello there' }],
    }
    for (let call = 0; call < 2; call += 1) {
      await client.chat.completions.create(body)
      world.clock.advance(60_000)
    }
    await writeFile(join(folder, 'control.json'), JSON.stringify({ url: world.gateway.controlUrl }))
    await during()
  } finally {
    await rm(join(folder, 'control.json'), { force: true })
    await world.close()
  }
}

const listed = [
  {
    ...{ limit: 'all', counter: {}, measure: 'cost', currency: 'USD', unit: 'USD', cap: '10' },
    ...{ settled: '0.00138', held: '0', unresolved: '0', free: '9.99862', over: '0', resetsAt: null },
  },
  {
    ...{ limit: 'calls', counter: { team: 'search' }, measure: 'requests', currency: null },
    ...{ unit: 'request', cap: '5', settled: '2', held: '0', unresolved: '0', free: '3', over: '0' },
  },
]

describe('octroi limits list', () => {
  it('shows the same of a running gateway and of the folder it leaves', async () => {
    await twoCalls(async () => {
      const ran = await run(['limits', 'list', '--data', folder, '--json'])
      expect((await valid('limits-list', ran.out)).limits).toMatchObject(listed)
    })
    await writeFile(policy, JSON.stringify({ limits }))
    const words = ['limits', 'list', '--data', folder, '--config', policy]
    const { exit, out } = await run([...words, '--json'])
    expect(exit).toBe(0)
    expect((await valid('limits-list', out)).limits).toMatchObject(listed)
    const { out: table } = await run(words)
    expect(table).toMatch(
      /^limit +set by +counter +cap +settled +held +unresolved +free +over +unit +resets\n/,
    )
    expect(table).toMatch(/calls +operator +team=search +5 +2 +0 +0 +3 +0 +request +never/)
  })

  it('says what is missing where no gateway runs', async () => {
    const { exit, err } = await run(['limits', 'list', '--data', folder])
    expect([exit, err]).toEqual([2, expect.stringContaining('--config')])
  })
})

describe('octroi limits test', () => {
  const tried = async (proposed: unknown, ...more: string[]) => {
    await writeFile(policy, JSON.stringify(proposed))
    const ledger = join(folder, 'ledger.sqlite')
    return run(['limits', 'test', policy, '--ledger', ledger, ...more])
  }
  const cap = (amount: string, more: object = {}) => [
    { name: 'new', measure: 'cost', cap: amount, window: { calendar: 'day' }, ...more },
  ]

  it('shows what tighter limits would have refused, and changes nothing', async () => {
    await twoCalls()
    const before = await readFile(join(folder, 'ledger.sqlite'))
    const { exit, out } = await tried(cap('0.124'), '--json')
    expect(exit).toBe(3)
    expect(await valid('limits-test', out)).toMatchObject({
      ...{ calls: 2, refused: 1, waited: 0, warned: 0 },
      rows: [{ limit: 'new', action: 'refuse', team: 'search', calls: 1, amount: '0.00069' }],
      examples: [{ most: '0.12371', limit: 'new', reason: 'exceeded', asked: '0.12371', free: '0.12331' }],
    })
    expect(await readFile(join(folder, 'ledger.sqlite'))).toEqual(before)
    const { out: table } = await tried(cap('0.124'))
    expect(table).toContain(
      'Of 2 calls: 1 refused, 0 made to wait, 0 lowered in their output, 0 passed with a warning.\n',
    )
  })

  it('lets pass what fits once the calls before have settled', async () => {
    await twoCalls()
    expect(await tried(cap('0.1244'))).toMatchObject({ exit: 0, out: expect.stringContaining('0 refused') })
    expect((await tried(cap('0.1', { action: 'warn' }))).out).toContain('2 passed with a warning')
    expect((await tried(cap('0.1', { action: 'wait' }))).exit).toBe(3)
    expect((await tried(cap('0.1'), '--from', '2023-11-16')).out).toContain('Of 0 calls')
  })

  it('says to what outputs would have been lowered', async () => {
    await twoCalls()
    const { exit, out } = await tried(cap('0.002', { action: 'clamp' }), '--json')
    expect(exit).toBe(0)
    // Each has 0.00009 of input, and output at 0.03 a thousand: 0.00191 buy 63 tokens, and after 0.00069 more 40.
    expect(await valid('limits-test', out)).toMatchObject({
      ...{ calls: 2, refused: 0, lowered: 2 },
      rows: [{ limit: 'new', action: 'clamp', calls: 2 }],
      examples: [{ outputTokens: 63 }, { outputTokens: 40 }],
    })
    const { out: table } = await tried(cap('0.001', { action: 'clamp' }))
    // 30 tokens for the first; what is left for the second buys 7, and the least is 16.
    expect(table).toContain('Of 2 calls: 1 refused, 0 made to wait, 1 lowered in their output,')
    expect(table).toContain('30 tokens')
  })

  it('tries limits on other measures', async () => {
    await twoCalls()
    const of = (measure: string, amount: string, window: object = { window: { calendar: 'day' } }) => ({
      limits: [{ name: measure, measure, cap: amount, ...window }],
    })
    expect((await tried(of('requests', '1'))).out).toContain('1 refused')
    expect((await tried(of('tokens', '58'))).out).toContain('0 refused')
    expect((await tried(of('tokens', '57'))).out).toContain('1 refused')
    expect((await tried(of('concurrent', '1', {}))).out).toContain('0 refused')
  })

  it.each([
    [{}, 'has no limits'],
    [[{ name: 'a', measure: 'cost', cap: '-1', window: { calendar: 'day' } }], 'cap'],
  ])('refuses the policy %j', async (proposed, said) => {
    const { exit, err } = await tried(proposed)
    expect([exit, err]).toEqual([2, expect.stringContaining(said)])
  })
})
