import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandRunner } from '../run-command.fixture.ts'
import { command as check } from './book-check.ts'
import { command as show } from './book-show.ts'
import { command as update } from './book-update.ts'
import { command as price } from './price.ts'

const run = commandRunner(update, show, check, price)

const folder = mkdtempSync(join(tmpdir(), 'octroi-update-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let made = 0
const place = (): string => {
  made += 1
  return join(folder, `prices-${made}`)
}

const written = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const litellm = (input: string): string => `{
  "gpt-99-nova": {"litellm_provider": "openai", "mode": "chat",
    "input_cost_per_token": ${input}, "output_cost_per_token": 1e-05, "output_cost_per_image": 0.04},
  "gpt-4o": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 9e-06}
}`

const call = (model: string, at: string): string =>
  JSON.stringify({ provider: 'openai', model, at, usage: { input_text_tokens: 1_000_000 } })

describe('octroi book update', () => {
  it("takes LiteLLM's map over, says what it left out, and prices a model launched yesterday", async () => {
    const prices = place()
    const map = written('map.json', litellm('2.5e-06'))
    const { out, exit, err } = await run([
      'book',
      'update',
      '--from',
      map,
      '--prices',
      prices,
      '--since',
      '2026-11-20',
    ])
    expect({ exit, err }).toEqual({ exit: 0, err: '' })
    expect(out).toContain(
      `litellm.json: 3 prices of 2 models of 1 provider, from LiteLLM's model map, ${map}`,
    )
    expect(out).toContain('new there: 3; changed: 0; models that are not in the book: 1')
    expect(out).toMatch(/output_cost_per_image +1 +an image is billed by its tokens/)
    expect(readdirSync(prices)).toEqual(['litellm.json'])
    const paid = await run(['price', '--json', '--prices', prices], call('gpt-99-nova', '2026-11-22'))
    expect(JSON.parse(paid.out)).toMatchObject({
      total: '2.5',
      charges: [{ overlay: true, source: expect.stringContaining(`LiteLLM's model map, ${map}, read 20`) }],
    })
    expect((await run(['price', '--prices', prices], call('gpt-99-nova', '2026-11-22'))).out).toContain(
      "Some prices are of an overlay: LiteLLM's model map",
    )
  })

  it('never beats a sourced price', async () => {
    const prices = place()
    await run(['book', 'update', '--from', written('map.json', litellm('1e-06')), '--prices', prices])
    const { out } = await run(['price', '--json', '--prices', prices], call('gpt-4o', '2026-11-22'))
    expect(JSON.parse(out)).toMatchObject({ total: '2.5' })
  })

  it('keeps what it held before as history', async () => {
    const prices = place()
    const read = async (input: string) => {
      const map = written('map.json', litellm(input))
      return JSON.parse((await run(['book', 'update', '--from', map, '--prices', prices, '--json'])).out)
    }
    expect(await read('1e-06')).toMatchObject({ schema: 'octroi-book-update/1', added: 3, changed: 0 })
    expect(await read('1e-06')).toMatchObject({ added: 0, changed: 0 })
    expect(await read('2e-06')).toMatchObject({ added: 0, changed: 1 })
    const { prices: rows } = JSON.parse(readFileSync(join(prices, 'litellm.json'), 'utf8'))
    const nova = rows.filter(
      ({ model, meter }: { model: string; meter: string }) =>
        model === 'gpt-99-nova' && meter === 'input_text_tokens',
    )
    expect(nova.map(({ unitPrice }: { unitPrice: string }) => unitPrice)).toEqual(['1', '2'])
    expect(nova[0].effectiveTo).toBe(nova[1].effectiveFrom)
  })

  it("takes an operator's own contract over as it is, under its own name", async () => {
    const prices = place()
    const contract = {
      schema: 'octroi-prices/1',
      provider: 'openai',
      overlay: 'contract',
      prices: [],
      discounts: [
        {
          percent: '10',
          models: ['gpt-4o'],
          effectiveFrom: '2026-01-01',
          effectiveTo: null,
          source: 'contract 42',
        },
      ],
    }
    const { exit } = await run([
      'book',
      'update',
      '--from',
      written('acme.json', JSON.stringify(contract)),
      '--prices',
      prices,
    ])
    expect([exit, readdirSync(prices)]).toEqual([0, ['acme.json']])
    const { out } = await run(['price', '--json', '--prices', prices], call('gpt-4o', '2026-11-22'))
    expect(JSON.parse(out)).toMatchObject({
      total: '2.25',
      listTotal: '2.5',
      charges: [
        { unitPrice: '2.25', list: { unitPrice: '2.5' }, source: expect.stringContaining('contract 42') },
      ],
    })
    expect(await run(['book', 'check', '--prices', prices])).toMatchObject({ exit: 0 })
  })

  it('refuses a contract that contradicts another one in the folder', async () => {
    const prices = place()
    const row = {
      provider: 'acme',
      model: 'nova',
      service: 'chat',
      meter: 'image',
      attributes: {},
      unitPrice: '1',
      per: 1,
      currency: 'USD',
      effectiveFrom: '2026-01-01',
      fromPrecision: 'exact',
      effectiveTo: null,
      confidence: 'high',
      source: 'contract',
    }
    const contract = { schema: 'octroi-prices/1', provider: 'acme', overlay: 'contract', prices: [row] }
    const one = written('one.json', JSON.stringify(contract))
    const two = written('two.json', JSON.stringify(contract))
    expect(await run(['book', 'update', '--from', one, '--prices', prices])).toMatchObject({ exit: 0 })
    expect(await run(['book', 'update', '--from', one, '--prices', prices])).toMatchObject({ exit: 0 })
    expect(await run(['book', 'update', '--from', two, '--prices', prices])).toMatchObject({
      exit: 1,
      err: expect.stringContaining('acme / nova / image has two prices'),
    })
    expect(readdirSync(prices)).toEqual(['one.json'])
  })

  it('shows an overlay on the card as one', async () => {
    const prices = place()
    await run(['book', 'update', '--from', written('map.json', litellm('1e-06')), '--prices', prices])
    const { out } = await run(['book', 'show', 'gpt-99-nova', '--prices', prices])
    expect(out).toMatch(/input_text_tokens +tier standard \(overlay\) +1 \/ 1000000 +USD +~20\S+ +low +\[1\]/)
  })

  it.each<[string, string, number, string]>([
    ['no JSON', '{"a":', 2, 'line 1, column 6: not JSON'],
    ['another shape', '{"data":[]}', 2, 'none of the formats known here'],
    [
      'a row that cannot be',
      '{"schema":"octroi-prices/1","provider":"acme","prices":[{"provider":"acme"}]}',
      1,
      'Price row acme',
    ],
  ])('writes nothing for %s', async (_, text, exit, message) => {
    const prices = place()
    const from = written('bad.json', text)
    const ran = await run(['book', 'update', '--from', from, '--prices', prices])
    expect(ran).toMatchObject({ exit, out: '', err: expect.stringContaining(message) })
    expect(() => readdirSync(prices)).toThrow('ENOENT')
  })

  it('wants to know from where, and a file that is there', async () => {
    expect(await run(['book', 'update'])).toMatchObject({ exit: 2, out: '' })
    expect(await run(['book', 'update', '--from', 'no-such-file'])).toMatchObject({
      exit: 2,
      err: expect.stringContaining('Cannot read no-such-file (ENOENT)'),
    })
  })
})

describe('an address', () => {
  let server: Server
  let base = ''
  beforeAll(async () => {
    server = createServer((request, reply) => {
      const answer = (status: number, location?: string): void => {
        reply.writeHead(status, location === undefined ? {} : { location }).end()
      }
      if (request.url === '/map.json') reply.end(litellm('3e-06'))
      else if (request.url === '/moved') answer(302, '/map.json')
      else if (request.url === '/away') answer(302, 'http://elsewhere.example/map.json')
      else if (request.url === '/round') answer(302, '/round')
      else if (request.url === '/file') answer(302, 'file:///etc/passwd')
      else if (request.url === '/endless') {
        const megabyte = ' '.repeat(1_048_576)
        const write = (): void => {
          if (!reply.destroyed) reply.write(megabyte, write)
        }
        write()
      } else answer(404)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  it('is read, and followed on its own host', async () => {
    for (const path of ['/map.json', '/moved']) {
      const { out, exit } = await run(['book', 'update', '--from', base + path, '--prices', place()])
      expect([exit, out]).toEqual([0, expect.stringContaining(`LiteLLM's model map, ${base}${path}`)])
    }
  })

  it.each([
    ['/away', 'leads to http://elsewhere.example, and only its own host is followed'],
    ['/file', 'leads to null, and only its own host is followed'],
    ['/round', 'leads on more than 5 times'],
    ['/missing', 'answered 404'],
    ['/endless', 'is larger than 64 MiB'],
  ])('%s is refused: it %s', async (path, message) => {
    const ran = await run(['book', 'update', '--from', base + path, '--prices', place()])
    expect(ran).toMatchObject({ exit: 2, out: '', err: expect.stringContaining(message) })
  })

  it.each(['ftp://example.org/x', 'file:///etc/passwd', 'https://a:b@example.org/x', 'http://'])(
    '%s is refused',
    async (from) => {
      const ran = await run(['book', 'update', '--from', from, '--prices', place()])
      expect(ran).toMatchObject({ exit: 2, err: expect.stringContaining('no http or https address') })
    },
  )

  it('says why nobody answers', async () => {
    const ran = await run(['book', 'update', '--from', 'http://127.0.0.1:1/x', '--prices', place()])
    expect(ran).toMatchObject({ exit: 2, err: expect.stringContaining('Cannot read http://127.0.0.1:1/x') })
  })
})
