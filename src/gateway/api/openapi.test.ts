import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWorld, type TestWorld } from '../../../test/support/world.ts'
import { createControlRoutes } from '../control.ts'
import { controlOperations } from './control-operations.ts'
import { dataOperations } from './data-operations.ts'
import { openApi } from './openapi.ts'
import type { Operation } from './operation.ts'

const document = openApi() as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** The same, where an answer may have no field that is not in it. */
const strict = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(strict)
  if (typeof value !== 'object' || value === null) return value
  const copy = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, strict(inner)]))
  const isObject = copy['type'] === 'object' && 'properties' in copy && !('additionalProperties' in copy)
  return isObject ? { ...copy, additionalProperties: false } : copy
}

const ajv = new Ajv2020({ strict: false, allErrors: true, formats: { date: true } })
ajv.addSchema(strict(document) as object, 'octroi')

const pointer = (...parts: readonly string[]): string =>
  `octroi#/${parts.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`

/** What does not fit what is written of an operation. */
const misfits = (asked: string, place: readonly string[], value: unknown): unknown => {
  const [method = '', path = ''] = asked.split(' ')
  const all = ['paths', path, method.toLowerCase(), ...place, 'content', 'application/json', 'schema']
  const validate = ajv.compile({ $ref: pointer(...all) })
  return validate(value) ? null : validate.errors
}

const adminToken = 'an-admin-token-of-32-characters-'
const allocation = {
  schema: 'octroi-allocation/1',
  versions: [
    { version: '2025', from: '2025-01-01', centres: [{ name: 'search', match: { team: 'search' } }] },
  ],
}
let world: TestWorld
let secret = ''

beforeAll(async () => {
  world = await startWorld({
    at: '2025-06-01T12:00:00Z',
    config: { anonymous: false, allocation },
    gateway: { controlPort: 0, adminToken, masterKey: new Uint8Array(32).fill(7) },
  })
  secret = (await makeKey()).secret
})
afterAll(() => world.close())

const makeKey = () => {
  const owner = { name: null, organization: null, team: 'search', project: null, environment: null }
  return world.gateway.registry.createKey(owner, world.clock.now())
}

const isControl = (asked: string): boolean => asked in controlOperations

const send = async (
  asked: string,
  {
    id,
    body,
    query = '',
    headers = isControl(asked) ? { authorization: `Bearer ${adminToken}` } : { 'octroi-key': secret },
  }: {
    readonly id: string
    readonly body?: unknown
    readonly query?: string
    readonly headers?: Readonly<Record<string, string>>
  },
) => {
  const [method = '', path = ''] = asked.split(' ')
  const { url, controlUrl } = world.gateway
  const reply = await fetch(
    `${isControl(asked) ? controlUrl : url}${path.replace(/\{\w+\}/, encodeURIComponent(id))}${query}`,
    {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    },
  )
  const isJson = reply.headers.get('content-type')?.startsWith('application/json') === true
  const said: unknown = isJson ? await reply.json() : await reply.text()
  return { status: reply.status, isJson, said, misfits: isJson ? checked(asked, reply.status, said) : null }
}

const checked = (asked: string, status: number, said: unknown): unknown =>
  misfits(asked, ['responses', String(status)], said)

/** What a path is about: a key, a vendor, or a reservation that is open. */
const subjectOf = async (asked: string): Promise<string> => {
  if (asked.includes('{name}')) return 'openai'
  if (!asked.includes('{id}')) return ''
  if (isControl(asked)) return (await makeKey()).key.id
  const body = { endpoint: 'chat-completions', model: 'gpt-4o', most: '0.01' }
  const { said } = await send('POST /octroi/v1/reservations', { id: '', body })
  return (said as { id: string }).id
}

const operations: readonly (readonly [string, Operation])[] = Object.entries<Operation>({
  ...controlOperations,
  ...dataOperations,
})

type Answered = { readonly amount: string; readonly receipt: Readonly<Record<string, string>> }

const codeOf = (said: unknown): string => (said as { error: { code: string } }).error.code

describe('the description of the HTTP interface', () => {
  it('has every path that the control plane answers, and no other', () => {
    const { routes } = createControlRoutes({ parts: {} } as Parameters<typeof createControlRoutes>[0])
    const answered = routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`)
    expect(answered.sort()).toEqual(Object.keys(controlOperations).sort())
  })

  it('names each operation once, and refers to nothing that is not there', () => {
    const text = JSON.stringify(document)
    const ids = [...text.matchAll(/"operationId":"(\w+)"/g)].map(([, id]) => id)
    expect(ids).toHaveLength(operations.length)
    expect(new Set(ids).size).toBe(ids.length)
    for (const [, target = ''] of text.matchAll(/"\$ref":"#([^"]+)"/g)) {
      expect(ajv.getSchema(`octroi#${target}`)).toBeDefined()
    }
  })

  it('is given by the gateway as it stands in its file', async () => {
    const { said } = await send('GET /octroi/v1/openapi.json', { id: '' })
    expect(said).toEqual(JSON.parse(JSON.stringify(document)))
  })
})

describe.each(operations)('%s', (asked, { body, answers, examples = [], errors, query }) => {
  it('answers what is asked as it says', async () => {
    for (const example of body === undefined ? [undefined] : examples) {
      if (body !== undefined) expect(misfits(asked, ['requestBody'], example)).toBeNull()
      const found = await send(asked, { id: await subjectOf(asked), body: example })
      expect([example, Object.keys(answers).includes(String(found.status)), found.misfits]).toEqual([
        example,
        true,
        null,
      ])
    }
    expect(body === undefined || examples.length > 0).toBe(true)
  })

  it('refuses as it says what cannot be read, is not there or comes without a key', async () => {
    const id = await subjectOf(asked)
    const said: unknown[] = []
    const refusedWith = async (code: string, options: Partial<Parameters<typeof send>[1]>) => {
      const found = await send(asked, { id, body: examples[0], ...options })
      said.push(codeOf(found.said) === code ? found.misfits : [code, found])
    }
    const readsBody = body !== undefined && Object.keys(examples[0] ?? {}).length > 0
    if (readsBody) {
      await refusedWith('bad_input', { body: { colour: 'red' } })
      await refusedWith('bad_json', { body: '{' })
    }
    if (isControl(asked) && body !== undefined) {
      await refusedWith('body_too_large', { body: JSON.stringify({ colour: 'r'.repeat(4_000_001) }) })
    }
    if (errors.includes('unknown_object') && asked.includes('{')) {
      await refusedWith('unknown_object', { id: 'no-such-thing' })
    }
    if (query !== undefined) await refusedWith('bad_input', { query: '?colour=red' })
    if (!['GET /healthz', 'GET /readyz'].includes(asked)) await refusedWith('missing_key', { headers: {} })
    expect(said.filter((each) => each !== null)).toEqual([])
  })
})

describe('a report of what was spent', () => {
  const asks = async (asked: string, query: string) => {
    const found = await send(asked, { id: '', query })
    expect([found.status, found.misfits]).toEqual([200, null])
    return found.said as Readonly<Record<'groups' | 'totals' | 'lines', readonly Answered[]>>
  }

  it('answers as it says, and each group opens its receipt', async () => {
    const [example] = dataOperations['POST /octroi/v1/usage'].examples
    await send('POST /octroi/v1/usage', { id: '', body: example })
    const query = '?by=model,tag:feature,day&zone=Europe/Paris&where=team%3Dsearch&top=5'
    const { groups } = await asks('GET /octroi/v1/reports/spend', query)
    expect(groups.length).toBeGreaterThan(0)
    for (const { amount, receipt } of groups) {
      const opened = await asks('GET /octroi/v1/reports/receipt', `?${new URLSearchParams(receipt)}`)
      expect(opened.totals.map((total) => total.amount)).toEqual([amount])
      expect(opened.lines.length).toBeGreaterThan(0)
    }
    const month = '?from=2025-06-01&to=2025-07-01&compare=previous'
    const { totals } = await asks('GET /octroi/v1/reports/spend', month)
    expect(totals).toMatchObject([{ change: { before: '0', price: '0', mix: '0' } }])
  })

  it('refuses a parameter that stands twice', async () => {
    const { status, said } = await send('GET /octroi/v1/reports/spend', { id: '', query: '?by=team&by=key' })
    expect([status, said]).toMatchObject([400, { error: { message: 'by stands 2 times. Say it once.' } }])
  })
})

describe('an export', () => {
  const asked = 'GET /octroi/v1/exports/focus'

  it('is CSV with the rows of FOCUS, and nothing but their names where nothing was spent', async () => {
    const { controlUrl } = world.gateway
    const headers = { authorization: `Bearer ${adminToken}` }
    const of = async (query: string): Promise<readonly string[]> => {
      const reply = await fetch(`${controlUrl}/octroi/v1/exports/focus${query}`, { headers })
      expect(reply.status).toBe(200)
      return (await reply.text()).trimEnd().split(/\r?\n/)
    }
    const [example] = dataOperations['POST /octroi/v1/usage'].examples
    await send('POST /octroi/v1/usage', { id: '', body: example })
    const [names, ...rows] = await of('')
    expect(await of('?from=2025-06-01&to=2025-07-01')).toEqual([names, ...rows])
    expect(names).toMatch(/^BilledCost,BillingAccountId,.*x_TokenDirection$/)
    expect(rows.length).toBeGreaterThan(0)
    expect(await of('?from=2024-06-01&to=2024-07-01')).toEqual([names])
    const lines = await of('?from=2025-06-01&to=2025-07-01&format=jsonl&version=1.2&tags=feature')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ ProviderName: 'OpenAI', BillingAccountId: 'default' })
  })

  it.each([
    '?from=2025-07-01',
    '?from=2025-06-01T00:30:00Z',
    '?from=2025-06-01&to=2025-06-01',
    '?from=now&to=2025-06-01',
  ])('is refused with: %s', async (query) => {
    expect(await send(asked, { id: '', query })).toMatchObject({ status: 400, misfits: null })
  })
})

describe('a reservation', () => {
  it.each([
    ['cost', 'budget_exceeded'],
    ['requests', 'rate_limited'],
  ])('that a limit on %s refuses is told so as it says', async (measure, code) => {
    const limits = [{ name: 'none', measure, cap: '0', window: { calendar: 'day' } }]
    await send('PUT /octroi/v1/policy', { id: '', body: { limits } })
    const [, example] = dataOperations['POST /octroi/v1/reservations'].examples
    const found = await send('POST /octroi/v1/reservations', { id: '', body: example })
    expect([codeOf(found.said), found.misfits]).toEqual([code, null])
    await send('PUT /octroi/v1/policy', { id: '', body: { limits: [] } })
  })
})
