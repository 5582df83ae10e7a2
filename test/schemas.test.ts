import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { schemaFiles, writtenSchemas } from '../scripts/generate-schemas.ts'
import { commandIndex } from '../src/cli/commands/index.gen.ts'
import { main } from '../src/cli/main.ts'
import { readPolicyFile } from '../src/cli/policy.ts'
import { parsePriceItem } from '../src/cli/price-item.ts'
import { readConfig } from '../src/gateway/config.ts'
import { openSqlite } from '../src/ledger/databases/sqlite.ts'
import { ledgerStore, openLedger } from '../src/ledger/ledger.ts'
import { parsePicos } from '../src/money/money.ts'
import { parsePlanRequest } from '../src/planning/plan-request.ts'
import { quantities } from '../src/usage/usage.ts'
import { exampleCall, exampleReservation, exampleSettlement } from './conformance/ledger.ts'

const folder = mkdtempSync(join(tmpdir(), 'octroi-schemas-'))
const ledger = join(folder, 'ledger.sqlite')
const mapFile = join(folder, 'map.json')
const policyFile = join(folder, 'policy.json')
const usageFile = join(folder, 'usage.json')
const day = ['--from', '2023-11-15', '--to', '2023-11-16']
const reconciled = ['--usage', usageFile, '--from', '2023-11-15T12:00:00Z', '--to', '2023-11-15T13:00:00Z']
afterAll(() => rmSync(folder, { recursive: true, force: true }))

beforeAll(async () => {
  const open = openLedger(await openSqlite({ file: ledger, stores: [ledgerStore] }))
  const resent = { tokens: 4, amount: parsePicos('0.12'), exact: true }
  await open.reserve({ ...exampleReservation('a'), call: exampleCall('a', { team: 'search' }) })
  await open.settle(exampleSettlement('a', parsePicos('0.30'), { resent }))
  await open.reserve(exampleReservation('b'))
  const image = { meter: 'image', quantity: 2, code: 'no_price', message: 'No price.' } as const
  await open.settle(exampleSettlement('b', 0n, { charges: [], unpriced: [image], resent: null }))
  await open.close()
  const nova = {
    litellm_provider: 'openai',
    mode: 'chat',
    input_cost_per_token: 1e-6,
    input_cost_per_image: 1,
  }
  writeFileSync(policyFile, JSON.stringify({ keys: [{ name: 'search', team: 'search' }] }))
  writeFileSync(mapFile, JSON.stringify({ 'gpt-99-nova': nova }))
  const bucket = { object: 'bucket', start_time: 1_700_049_600, end_time: 1_700_049_660 }
  const results = [{ model: 'gpt-4', input_tokens: 5, output_tokens: 3 }]
  writeFileSync(
    usageFile,
    JSON.stringify({ object: 'page', data: [{ ...bucket, results }], has_more: false }),
  )
  await octroi(['keys', 'create', '--data', join(folder, 'data'), '--team', 'search'])
})

const octroi = async (args: readonly string[], input = ''): Promise<string> => {
  let out = ''
  await main(
    args,
    {
      stdin: Readable.from([input]),
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

/** A schema as shipped, read back from its file, so that the file itself is what is tested. */
const shipped = (name: string): Record<string, unknown> => {
  const text = writtenSchemas().get(`${name}.json`)
  if (text === undefined) throw new Error(`schemas/${name}.json is missing`)
  return JSON.parse(text)
}

const fits = (name: string, value: unknown): boolean => validatorOf(shipped(name))(value)

/** What a schema says is compiled by a library that knows nothing of where it came from; whatever it does not
 * understand is an error. */
const validatorOf = (schema: object): ValidateFunction =>
  new Ajv2020({
    allErrors: true,
    formats: { uri: (text: string) => URL.canParse(text), date: /^\d{4}-\d{2}-\d{2}$/ },
  }).compile(schema)

/** The same schema, in which nothing may stand that it does not describe. */
const closed = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const inner = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closed(value)]))
  return 'properties' in inner && !('additionalProperties' in inner)
    ? { ...inner, additionalProperties: false }
    : inner
}

const problemsOf = (name: string, value: unknown): unknown => {
  const validate = validatorOf(Object(closed(shipped(name))))
  return validate(value) ? [] : validate.errors
}

/** An item by its raw bodies. */
const raw = { provider: 'openai', at: '2023-11-15', endpoint: 'chat-completions' }

const item = {
  provider: 'openai',
  model: 'gpt-4-1106-preview',
  at: '2023-11-20',
  usage: { input_text_tokens: 1000, output_text_tokens: '500', image: 2 },
}
const seconds = { provider: 'openai', model: 'whisper-1', at: '2023-11-20', usage: { audio_seconds: '61.4' } }
const abroad = {
  provider: 'anthropic',
  model: 'claude-opus-5-5',
  at: '2026-11-23T00:00:00Z',
  attributes: { inference_geo: 'us' },
  usage: { input_text_tokens: 7 },
}
const promoted = {
  provider: 'openai',
  model: null,
  at: '2023-11-20',
  usage: { code_interpreter_session: 10 },
}

describe('what the command line prints', () => {
  it.each([item, seconds, abroad, promoted])('of a price fits its schema: %j', async (each) => {
    const out = await octroi(['price', '--json'], JSON.stringify(each))
    expect(problemsOf('price-cost-1', JSON.parse(out))).toEqual([])
  })

  it('of a bad line fits the schema of failures', async () => {
    const out = await octroi(['price', '--json'], `${JSON.stringify(item)}\n{"provider":7}\n`)
    const [cost = '', failure = ''] = out.trim().split('\n')
    expect(problemsOf('price-cost-1', JSON.parse(cost))).toEqual([])
    expect(problemsOf('error-1', JSON.parse(failure))).toEqual([])
  })

  it.each([
    ['plan', 'gpt-4-1106-preview', '2023-11-15'],
    ['plan', 'no-such-model', '2023-11-15'],
  ])('of a %s of %s fits its schema', async (command, model, at) => {
    const asked = ['--system', '1000', '--user', '50', '--assistant', '200000', '--turns', '3']
    const out = await octroi([command, '--model', model, '--at', at, ...asked, '--json'])
    expect(problemsOf('plan-1', JSON.parse(out))).toEqual([])
  })

  it.each([
    ['report-spend-1', ['report', 'spend', '--ledger', ledger]],
    ['report-spend-1', ['report', 'spend', '--ledger', ledger, '--by', 'meter,day']],
    ['report-spend-1', ['report', 'spend', '--ledger', ledger, '--to', '2000-01-01']],
    ['report-spend-1', ['report', 'spend', '--ledger', ledger, '--by', 'tag:feature,week', '--top', '1']],
    ['report-spend-1', ['report', 'spend', '--ledger', ledger, ...day, '--compare', 'previous']],
    ['report-receipt-1', ['report', 'receipt', '--ledger', ledger]],
    ['report-receipt-1', ['report', 'receipt', 'a', '--ledger', ledger, '--limit', '1']],
    ['report-conversations-1', ['report', 'conversations', '--ledger', ledger]],
    ['report-conversations-1', ['report', 'conversations', 'conversation_1', '--ledger', ledger]],
    ['ledger-verify-1', ['ledger', 'verify', '--ledger', ledger]],
    ['keys-list-1', ['keys', 'list', '--data', join(folder, 'data')]],
    ['policy-changes-1', ['apply', policyFile, '--plan', '--data', join(folder, 'data')]],
    ['policy-changes-1', ['apply', policyFile, '--data', join(folder, 'data')]],
    ['reconcile-runs-1', ['reconcile', 'runs', ...reconciled, '--data', join(folder, 'data')]],
    ['book-list-1', ['book', 'list', '--at', '2026-11-23']],
    ['book-show-1', ['book', 'show', 'claude-sonnet-4-5', '--at', '2026-11-01']],
    ['book-history-1', ['book', 'history', 'gpt-4o', '--tier', 'all']],
    ['book-diff-1', ['book', 'diff', '2026-07-29', '2026-11-23']],
    ['book-sunsets-1', ['book', 'sunsets', '--at', '2026-11-23', '--since', '2026-01-01']],
    ['book-check-1', ['book', 'check', '--at', '2026-11-23']],
    ['book-check-1', ['book', 'check', mapFile]],
    ['book-update-1', ['book', 'update', '--from', mapFile, '--prices', join(folder, 'prices')]],
  ])('fits %s: %j', async (name, args) => {
    const out = await octroi([...args, '--json'])
    expect(problemsOf(name, JSON.parse(out))).toEqual([])
  })
})

describe('what the command line reads', () => {
  const plan = { model: 'gpt-4o', user: 50, assistant: 200, turns: 3 }
  const agree = (name: string, value: unknown, read: () => unknown): void => {
    const accepted = (): boolean => {
      try {
        read()
        return true
      } catch {
        return false
      }
    }
    expect({ value, fits: fits(name, value) }).toEqual({ value, fits: accepted() })
  }

  it.each([
    item,
    seconds,
    abroad,
    promoted,
    { ...item, provider: undefined },
    { ...item, at: 'yesterday' },
    { ...item, usage: { image: -1 } },
    { ...item, usage: [] },
    { ...item, attributes: { tier: 7 } },
    { ...item, usage: undefined },
    { ...raw, response: {} },
    { ...raw, response: 'data: [DONE]\n\n' },
    { ...raw, response: 7 },
    { ...raw, endpoint: '' },
  ])('as an item fits its schema exactly when it can be read: %j', (value) => {
    agree('price-item-1', value, () => {
      const read = parsePriceItem(value)
      return 'usage' in read ? quantities(read.usage) : read.reply
    })
  })

  it.each([
    plan,
    { ...plan, capTokens: null, keepTurns: 5, at: '2024-06-01T00:00:00Z' },
    { ...plan, turns: 0 },
    { ...plan, model: '' },
    { ...plan, colour: 'red' },
    { ...plan, user: '50' },
    { ...plan, assistant: 10_000_001 },
  ])('as a plan fits its schema exactly when it can be read: %j', (value) => {
    agree('plan-request-1', value, () => parsePlanRequest(value, 0))
  })

  const limit = { name: 'a', measure: 'cost', cap: '100.00', window: { calendar: 'month' } }
  it.each([
    {},
    {
      anonymous: true,
      providers: { openai: {}, mine: { kind: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1' } },
    },
    { limits: [limit, { ...limit, name: 'b', match: { team: 'search', model: 'gpt-*' }, currency: 'EUR' }] },
    { limits: [{ ...limit, unpriced: 'refuse' }] },
    {
      limits: [
        { ...limit, unpriced: { ceiling: { perMillionInputTokens: '10', perUnit: { image: '0.2' } } } },
      ],
    },
    { limits: [{ ...limit, unpriced: { ceiling: {} } }] },
    { limits: [{ ...limit, unpriced: { ceiling: { perCall: 2 } } }] },
    { limits: [{ ...limit, unpriced: { ceiling: { perUnit: { moon: '1' } } } }] },
    { limits: [{ ...limit, unpriced: {} }] },
    { limits: [{ ...limit, cap: 100 }] },
    { limits: [{ ...limit, cap: '-1' }] },
    { limits: [{ ...limit, match: { team: 'a*b' } }] },
    { limits: [{ ...limit, window: { calendar: 'day' } }] },
    { limits: [{ ...limit, colour: 'red' }] },
    { limits: [{ ...limit, action: 'clamp' }] },
    { limits: [{ ...limit, burnRate: { spentMin: '5.00' } }] },
    { limits: [{ ...limit, burnRate: { spentMin: 5 } }] },
    { unmetered: {} },
    { unmetered: { default: 'refuse', paths: { '/agents/*': 'pass', '/videos': 'refuse' } } },
    { unmetered: { default: 'maybe' } },
    { unmetered: { paths: { agents: 'pass' } } },
    { unmetered: { paths: { '/a*/b': 'pass' } } },
    { providers: { 'Not a name': {} } },
    { providers: { openai: { keyVariable: 'lower' } } },
    { colour: 'red' },
  ])('as a configuration fits its schema exactly when it can be read: %j', (value) => {
    agree('config-1', value, () => readConfig(value, {}))
  })

  it.each([
    {},
    { keys: [], limits: [], historyCaps: [], unmetered: {} },
    { keys: [{ name: 'a', team: null, models: ['gpt-*'], tags: { a: '1' }, allowUnmetered: true }] },
    { limits: [limit], historyCaps: [{ match: { team: 'a' }, lastMessages: 6 }] },
    { keys: [{ team: 'a' }] },
    { keys: [{ name: 'a', colour: 'red' }] },
    { keys: [{ name: 'a', endpoints: ['a*b'] }] },
    { limits: [{ ...limit, cap: 100 }] },
    { anonymous: true },
  ])('as a policy fits its schema exactly when it can be read: %j', (value) => {
    agree('policy-1', value, () => readConfig({ limits: readPolicyFile(value).limits ?? [] }, {}))
  })
})

describe('the schemas', () => {
  it('stand in their files as the code says them', () => {
    const parsed = (files: ReadonlyMap<string, string>) =>
      Object.fromEntries([...files].map(([name, text]): [string, unknown] => [name, JSON.parse(text)]))
    expect(parsed(writtenSchemas())).toEqual(parsed(schemaFiles()))
  })

  it('are of draft 2020-12, each with a name of its own', () => {
    const all = [...writtenSchemas()]
      .filter(([name]) => name !== 'openapi.json')
      .map(([, text]) => JSON.parse(text))
    expect(new Set(all.map(({ $schema }) => $schema))).toEqual(
      new Set(['https://json-schema.org/draft/2020-12/schema']),
    )
    expect(new Set(all.map(({ $id }) => $id)).size).toBe(all.length)
  })
})
