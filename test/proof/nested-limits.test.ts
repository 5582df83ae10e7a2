import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { startWorld, type TestWorld } from '../support/world.ts'
import { settledWhole } from './conservation.ts'
import { readEntries } from './entries.ts'
import { tell } from './told.ts'
import { longForm } from './work.ts'

let world: TestWorld
afterEach(() => world.close())

const month = { calendar: 'month' }
const cost = (name: string, cap: string, match: object = {}) => ({
  name,
  measure: 'cost',
  cap,
  window: month,
  match,
})

const headersOf = async (team: string, project: string) => {
  const owner = { name: null, organization: 'acme', environment: 'prod', team, project }
  const { secret } = await world.gateway.registry.createKey(owner, world.clock.now())
  return {
    'content-type': 'application/json',
    authorization: `Bearer ${secret}`,
    'octroi-tags': `project=${project}`,
  }
}

/** Asks for a completion of at most so many tokens; gives the status and what a refusal says. */
const ask = async (headers: Readonly<Record<string, string>>, outputMost = 20) => {
  const body = JSON.stringify({
    model: 'gpt-3.5-turbo-instruct',
    prompt: [9906, 1917],
    max_tokens: outputMost,
  })
  const reply = await fetch(`${world.gateway.url}/v1/completions`, { method: 'POST', headers, body })
  const said = (await reply.json()) as { readonly error?: { readonly octroi: { readonly limit: string } } }
  return { status: reply.status, limit: said.error?.octroi.limit ?? null }
}

it('a call is held by all limits around it or by none, whichever of them is exhausted', {
  timeout: 60_000,
}, async (context) => {
  // A call costs 43 millionths of a dollar: 2 x 1.5 + 20 x 2.
  const names = ['organization', 'team', 'project', 'key', 'calls', 'tokens']
  const caps = names.map((_, exhausted) => names.map((__, index) => (index === exhausted ? 3 : 1_000)))
  let refused = 0
  for (const [
    exhausted,
    [organization = 0, team = 0, project = 0, key = 0, calls = 0, tokens = 0],
  ] of caps.entries()) {
    if (exhausted > 0) await world.close()
    const dollars = (count: number) => `0.${String(count * 43).padStart(6, '0')}`
    world = await startWorld({
      config: {
        limits: [
          cost('organization', dollars(organization), { organization: 'acme' }),
          cost('team', dollars(team), { team: 'search' }),
          cost('project', dollars(project), { project: 'rerank' }),
          { ...cost('key', dollars(key)), each: ['key'] },
          { name: 'calls', measure: 'requests', cap: `${calls}`, window: month },
          { name: 'tokens', measure: 'tokens', cap: `${tokens * 22}`, window: { calendar: 'day' } },
        ],
      },
      sandbox: { outputTokens: 20, latencyMs: 5 },
    })
    const headers = await headersOf('search', 'rerank')
    const asked = await Promise.all(Array.from({ length: longForm ? 200 : 20 }, () => ask(headers)))
    expect(asked.filter(({ status }) => status === 200)).toHaveLength(3)
    const others = asked.filter(({ status }) => status !== 200)
    expect(new Set(others.map(({ limit }) => limit))).toEqual(new Set([names[exhausted]]))

    // One more, alone: no counter moves, no entry is written, and nothing is sent.
    const before = { limits: world.gateway.limits(), entries: readEntries(world.folder) }
    expect((await ask(headers)).limit).toBe(names[exhausted])
    expect({ limits: world.gateway.limits(), entries: readEntries(world.folder) }).toEqual(before)
    expect(before.entries).toHaveLength(6)
    expect(await settledWhole(world)).toBe(3n * 43_000_000n)
    for (const { limit, settled } of before.limits)
      expect(settled, limit).toBe(limit === 'calls' ? 3n : limit === 'tokens' ? 66n : 129_000_000n)
    refused += others.length + 1
  }
  tell(context, {
    asked: '6 nested limits, each the exhausted one once',
    found: `3 admitted each time; ${refused} refused without a trace in the other five`,
  })
})

it('no call waits on the limit of another tenant', { timeout: 60_000 }, async (context) => {
  world = await startWorld({
    config: {
      limits: [
        { name: 'one at a time', measure: 'concurrent', cap: '1', action: 'wait', match: { team: 'slow' } },
        { ...cost('each team', '1'), each: ['team'], action: 'wait' },
      ],
    },
    sandbox: { outputTokens: 20, latencyMs: 20 },
  })
  const [slow, fast] = [await headersOf('slow', 'a'), await headersOf('fast', 'b')]
  const waiting = 60
  let done = 0
  const queue = Array.from({ length: waiting }, async () => {
    expect((await ask(slow)).status).toBe(200)
    done += 1
  })
  while (done === 0) await sleep(1)
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(fast)))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  const passedMeanwhile = done
  // All of them were served while most of the other tenant's calls still stood in their queue.
  expect(passedMeanwhile).toBeLessThan(waiting / 2)
  await Promise.all(queue)
  tell(context, {
    asked: `20 calls of a tenant while ${waiting} of another wait`,
    found: `all served before the queue had moved by ${passedMeanwhile}`,
  })
})
