import { describe, expect, it } from 'vitest'
import { defaultConfig, readConfig } from './config.ts'
import { createRouter } from './route.ts'

const router = createRouter(defaultConfig({}).upstreams).find

describe('the router, of vendors with paths of their own', () => {
  const providers = {
    anthropic: {},
    google: {},
    'azure-openai': { baseUrl: 'https://a.openai.azure.com' },
    bedrock: { baseUrl: 'https://bedrock-runtime.us-east-1.amazonaws.com' },
  }
  const { find, nearest } = createRouter(readConfig({ providers }, {}).upstreams)
  const found = (url: string) => {
    const target = find('POST', url)
    return target === null ? null : [target.endpoint.id, target.params, target.path]
  }

  it('takes the version out where the base URL has it, and keeps it where clients choose one', () => {
    expect(found('/anthropic/v1/messages?beta=true')).toEqual(['messages', {}, '/messages?beta=true'])
    expect(found('/v1/messages')).toEqual(['messages', {}, '/messages'])
    const path = '/v1beta/models/gemini-2.5-flash:generateContent'
    expect(found(`/google${path}`)).toEqual(['generate-content', { model: 'gemini-2.5-flash' }, path])
    expect(found('/google/models/gemini-2.5-flash:generateContent')).toBeNull()
    expect(found('/google/v9/models/gemini-2.5-flash:generateContent')).toBeNull()
  })

  it('reads an action behind an id, and an id that has colons of its own', () => {
    expect(found('/google/v1/models/m:countTokens')?.[1]).toEqual({ model: 'm' })
    expect(found('/google/v1/models/:countTokens')).toBeNull()
    expect(found('/google/v1/models/m')).toBeNull()
    expect(found('/bedrock/model/a.claude-v1%3A0/converse')).toEqual([
      'converse',
      { model: 'a.claude-v1:0' },
      '/model/a.claude-v1%3A0/converse',
    ])
    expect(found('/bedrock/model/a%2Fb/converse')).toBeNull()
  })

  it('reads a deployment', () => {
    const path = '/openai/deployments/moons/chat/completions?api-version=2024-10-21'
    expect(found(`/azure-openai${path}`)).toEqual(['chat-completions', { deployment: 'moons' }, path])
  })

  it('refuses an unknown path in the manner of the vendor it belongs to', () => {
    expect(nearest('/google/v1/nothing')?.id).toBe('generate-content')
    expect(nearest('/nothing')?.id).toBe('messages')
  })
})

describe('the router', () => {
  it.each([
    ['/v1/chat/completions', '/chat/completions'],
    ['/chat/completions', '/chat/completions'],
    ['/openai/v1/chat/completions?beta=true', '/chat/completions?beta=true'],
  ])('takes %s to the chat wire and keeps the query', (url, path) => {
    const target = router('POST', url)
    expect(target?.endpoint.id).toBe('chat-completions')
    expect(target?.path).toBe(path)
  })

  it('reads the ids in a path by kind', () => {
    expect(router('GET', '/v1/threads/thread_a/runs/run_b')?.params).toEqual({
      thread: 'thread_a',
      run: 'run_b',
    })
  })

  it('never takes /threads/runs for a thread of that name', () => {
    expect(router('POST', '/v1/threads/runs')?.route.path).toBe('/threads/runs')
  })

  it.each(['/v1/nothing', '/v1/threads/a%2Fb/runs', '/v1/threads/../runs', '/', '//chat/completions'])(
    'knows no route for %s',
    (url) => {
      expect(router('POST', url)).toBeNull()
    },
  )
})
