import { describe, expect, it } from 'vitest'
import { bundledBook } from '../cli/bundled.ts'
import { readConfig } from './config.ts'
import { unmatchedLines, unmatchedOf } from './unmatched.ts'

const book = await bundledBook()
const nobody = { organization: null, project: null, environment: null, revokedAt: null }
const keys = [
  { ...nobody, id: 'key_1', name: 'web', team: 'search' },
  { ...nobody, id: 'key_2', name: null, team: 'lab', revokedAt: 1 },
]
const limit = { name: 'a', measure: 'cost', cap: '1', window: { calendar: 'day' } }

const foundIn = (rules: object, { anonymous = false, providers = { openai: {} } as object } = {}) => {
  const config = readConfig({ anonymous, providers, ...rules }, {})
  return unmatchedOf(config, { keys, book, ...config })
}
const found = (match: object, more = {}) =>
  foundIn({ limits: [{ ...limit, match }] }, more).map(
    ({ dimension, value, near }) => `${dimension} ${value}: ${near()}`,
  )

describe('a limit names what is not here', () => {
  it.each([
    [{ team: 'serach' }, 'team serach: search'],
    [{ team: 'lab' }, 'team lab: '],
    [{ key: 'key_3' }, 'key key_3: key_1'],
    [{ key: 'web' }, 'key web: key_1'],
    [{ provider: 'opnai' }, 'provider opnai: openai'],
    [{ endpoint: 'chat-completion' }, 'endpoint chat-completion: chat-completions'],
    [{ model: 'gtp-*' }, 'model gtp-*: '],
    [{ model: 'gpt-3.5-turbbo' }, 'model gpt-3.5-turbbo: gpt-3.5-turbo'],
    [{ team: ['search', 'serach'], model: 'gpt-4o' }, 'team serach: search'],
  ])('where it says %j', (match, said) => {
    expect(found(match)).toEqual([said])
  })

  it.each([
    {},
    { team: 'search' },
    { team: ['sea*', '*'] },
    { model: 'gpt-4o*', provider: 'openai', endpoint: 'chat-completions', key: 'key_1' },
    { endUser: 'nobody', 'tag:feature': 'rerank', conversation: 'c' },
    { project: '*' },
  ])('not where it says %j', (match) => {
    expect(found(match)).toEqual([])
  })

  it('by the name that the operator gave a provider or a model', () => {
    const providers = {
      ours: { kind: 'azure-openai', baseUrl: 'https://a.example', models: { big: 'gpt-4o' } },
    }
    expect(found({ provider: 'ours', model: 'big' }, { providers })).toEqual([])
    expect(found({ provider: 'azure-openai' }, { providers })).toEqual(['provider azure-openai: '])
  })

  it('not for owners where calls without a key say them, nor models where nothing is priced', () => {
    expect(found({ team: 'serach' }, { anonymous: true })).toEqual([])
    const providers = { own: { kind: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1' } }
    expect(found({ model: 'llama' }, { providers })).toEqual([])
  })
})

describe('what is said of it', () => {
  it('is that it is about nothing, or that one of its names is not here', () => {
    const found = foundIn({
      limits: [
        { ...limit, match: { team: 'serach' } },
        { ...limit, name: 'b', match: { team: ['search', 'ads'] } },
      ],
      historyCaps: [{ match: { team: 'sea*' }, lastMessages: 3 }],
    })
    expect(unmatchedLines(found)).toEqual([
      'the limit "a" is about nothing: there is no team "serach" here (yet); there is "search"',
      'the limit "b" names what is not here: there is no team "ads" here (yet)',
      'historyCaps.0 is about nothing: there is no team "sea*" here (yet)',
    ])
  })

  it('is twenty lines at most, and how many names more there are', () => {
    const limits = Array.from({ length: 1_000 }, (_, at) => ({
      ...limit,
      name: `${at}`,
      match: { team: `t${at}` },
    }))
    const lines = unmatchedLines(foundIn({ limits }))
    expect([lines.length, lines.at(-1)]).toEqual([21, '980 more names in limits are not here'])
  })
})
