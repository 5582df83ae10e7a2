import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** A vendor that does not exist, in three files. */
const files = {
  'src/providers/acme.ts': `import { chatCompletions } from '../endpoints/chat-completions.ts'
import { bearer, type Provider } from './provider.ts'

/** Speaks OpenAI's wire under its own names, cached tokens apart. */
export const acme: Provider = {
  id: 'acme',
  baseUrl: 'https://api.acme.test/v1',
  authorize: bearer,
  keyVariable: 'ACME_API_KEY',
  endpoints: [
    chatCompletions({
      at: { input_text_tokens: 'fresh', cached_input_tokens: 'kept', output_text_tokens: 'written' },
    }),
  ],
}
`,
  'prices/acme.json': JSON.stringify({
    schema: 'octroi-prices/1',
    provider: 'acme',
    prices: [
      ['input_text_tokens', '2'],
      ['cached_input_tokens', '0.5'],
      ['output_text_tokens', '8'],
    ].map(([meter, unitPrice]) => ({
      ...{ provider: 'acme', model: 'anvil-1', service: 'chat', meter, attributes: {}, unitPrice },
      ...{ per: 1_000_000, currency: 'USD', effectiveFrom: '2026-01-01', fromPrecision: 'exact' },
      ...{ effectiveTo: null, confidence: 'high', source: 'made up' },
    })),
  }),
  'test/scenarios/acme.chat.txt': `# A vendor that does not exist.
provider: acme
endpoint: chat-completions
at: 2026-06-01T00:00:00Z
call: POST /v1/chat/completions
usage at: body $.usage
-- response --
{"id": "a-1", "model": "anvil-1", "choices": [], "usage": {"fresh": 1000, "kept": 2000, "written": 500}}
-- usage --
id a-1
model anvil-1
input_text_tokens 1000
cached_input_tokens 2000
output_text_tokens 500
-- cost --
0.007
`,
}

/** Reads the scenario, sends a call of it through a gateway, and tells what both cost. */
const check = `
import { readFileSync } from 'node:fs'
import { bundledBook } from './src/cli/bundled.ts'
import { createServer } from 'node:http'
import { startWorld } from './test/support/world.ts'
import { parseScenario, readCase, readerOf, showCost, showReply } from './test/support/scenario.ts'
import { formatPicos } from './src/money/money.ts'
const scenario = parseScenario(readFileSync('test/scenarios/acme.chat.txt', 'utf8'))
const [call] = scenario.cases
const reply = readCase(readerOf(scenario), call).get('response')
const vendor = createServer((_, answer) => {
  answer.setHeader('content-type', 'application/json')
  answer.end(call.sections.get('response'))
}).listen(0, '127.0.0.1')
await new Promise((resolve) => vendor.once('listening', resolve))
const baseUrl = 'http://127.0.0.1:' + vendor.address().port + '/v1'
const world = await startWorld({ at: '2026-06-01', config: { providers: { acme: { baseUrl } } } })
const body = JSON.stringify({ model: 'anvil-1', max_tokens: 500, messages: [{ role: 'user', content: 'Hi' }] })
const answer = await fetch(world.gateway.url + '/acme/v1/chat/completions', { method: 'POST', body })
const told = {
  reads: showReply(reply) === call.sections.get('usage'),
  scenario: showCost(scenario, call, reply, await bundledBook()),
  header: answer.headers.get('octroi-cost-usd'),
  till: world.till.map(({ call, cost }) => [call.provider, call.model, formatPicos(cost)]),
}
await world.close()
vendor.close()
vendor.closeAllConnections()
console.log(JSON.stringify(told))
`

const root = fileURLToPath(new URL('..', import.meta.url))
let copy: string
const run = (file: string): string => execFileSync(process.execPath, [file], { cwd: copy, encoding: 'utf8' })

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'octroi-vendor-'))
  for (const name of ['src', 'prices', 'scripts', 'docs', 'package.json']) {
    cpSync(join(root, name), join(copy, name), { recursive: true })
  }
  mkdirSync(join(copy, 'test'))
  for (const name of ['support', 'scenarios']) {
    cpSync(join(root, 'test', name), join(copy, 'test', name), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
})
afterAll(() => rmSync(copy, { recursive: true }))

describe('a vendor that is added', () => {
  it('is one source file, one price file and one scenario; indexes and pages are made from them', () => {
    for (const [path, text] of Object.entries(files)) writeFileSync(join(copy, path), text)
    expect(run('scripts/generate-indexes.ts')).toBe('src/providers/index.gen.ts written\n')
    expect(run('scripts/generate-wires.ts')).toContain('docs/wires.md written')
    writeFileSync(join(copy, 'check.ts'), check)
    expect(JSON.parse(run('check.ts'))).toEqual({
      reads: true,
      scenario: '0.007\n',
      header: '0.007',
      till: [['acme', 'anvil-1', '0.007']],
    })
  })
})
