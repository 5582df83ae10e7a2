import { describe, expect, it } from 'vitest'
import { bundledBook } from '../cli/bundled.ts'
import { parseLimits } from '../limits/parse-limit.ts'
import { readConfig } from './config.ts'
import type { Key } from './registry/keys.ts'
import { unmatchedLine, unmatchedOf } from './unmatched.ts'

const book = await bundledBook()
const key = {
  id: 'key_1',
  team: 'search',
  organization: null,
  project: null,
  environment: null,
  revokedAt: null,
}
const gone = { ...key, id: 'key_2', team: 'lab', revokedAt: 1 }

const found = (match: object, { anonymous = false, providers = { openai: {} } as object } = {}) =>
  unmatchedOf(parseLimits([{ name: 'a', match, measure: 'cost', cap: '1', window: { calendar: 'day' } }]), {
    keys: [key, gone] as unknown as readonly Key[],
    config: readConfig({ anonymous, providers }, {}),
    book,
  }).map(({ dimension, patterns }) => `${dimension} ${patterns}`)

describe('a limit is about nothing', () => {
  it.each([
    [{ team: 'serach' }, 'team serach'],
    [{ team: 'lab' }, 'team lab'],
    [{ key: 'key_3' }, 'key key_3'],
    [{ provider: 'anthropic' }, 'provider anthropic'],
    [{ endpoint: 'chat' }, 'endpoint chat'],
    [{ model: 'gtp-*' }, 'model gtp-*'],
    [{ team: ['x', 'y*'], model: 'gpt-4o' }, 'team x,y*'],
  ])('where it names %j', (match, said) => {
    expect(found(match)).toEqual([said])
  })

  it.each([
    {},
    { team: 'search' },
    { team: ['x', 'sea*'] },
    { model: 'gpt-4o*', provider: 'openai', endpoint: 'chat-completions', key: 'key_1' },
    { endUser: 'nobody', 'tag:feature': 'rerank', conversation: 'c' },
    { project: '*' },
  ])('not where it names %j', (match) => {
    expect(found(match)).toEqual([])
  })

  it('not for owners where calls without a key say them, nor models where nothing is priced', () => {
    expect(found({ team: 'serach' }, { anonymous: true })).toEqual([])
    const providers = { own: { kind: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1' } }
    expect(found({ model: 'llama' }, { providers })).toEqual([])
  })
})

it('a provider goes by the name that it is configured under', () => {
  const providers = { mine: { kind: 'openai', baseUrl: 'https://example.com/v1' } }
  expect(found({ provider: 'mine' }, { providers })).toEqual([])
  expect(found({ provider: 'openai' }, { providers })).toEqual(['provider openai'])
})

it('says so', () => {
  expect(unmatchedLine({ limit: 'a', dimension: 'team', patterns: ['x', 'y'] })).toBe(
    'octroi: the limit "a" is about nothing: there is no team "x" or "y" here (yet)',
  )
})
