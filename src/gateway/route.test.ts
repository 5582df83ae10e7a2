import fc from 'fast-check'
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

describe('the router, of paths that no wire has', () => {
  const { find, unmetered } = createRouter(
    readConfig({ providers: { openai: {}, google: {} } }, {}).upstreams,
  )
  const billing = (method: string, url: string): string | null =>
    unmetered(method, url)?.route.billing ?? null

  it('passes those that are written plainly', () => {
    expect(unmetered('POST', '/v1/audio/voices?limit=2')).toMatchObject({
      endpoint: { id: 'unmetered' },
      route: { billing: 'unmetered', path: '/audio/voices' },
      path: '/audio/voices?limit=2',
    })
    expect(unmetered('GET', '/google/v1beta/cachedContents')?.path).toBe('/v1beta/cachedContents')
  })

  it('knows no versions that its provider has not, and no other methods', () => {
    expect(billing('GET', '/google/v9/cachedContents')).toBeNull()
    expect(billing('HEAD', '/v1/audio/voices')).toBeNull()
    expect(billing('POST', '/octroi/v1/other')).toBeNull()
  })

  it('closes what is closed at its provider, and other spellings of its wires', () => {
    expect(billing('POST', '/google/v1alpha/auth_tokens')).toBe('closed')
    expect(billing('POST', '/google/v1beta/tunedModels/m:transferOwnership')).toBe('closed')
    expect(billing('GET', '/v1/projects/p-1')).toBe('closed')
    expect(billing('POST', '/v1/Chat/Completions')).toBe('closed')
    expect(billing('GET', '/v1/FILES')).toBe('closed')
    expect(billing('POST', '/google/v1beta/models/m:GenerateContent')).toBe('closed')
  })

  it('passes none that a lenient server could read otherwise (paths of up to 12 of 16 parts)', () => {
    const words = ['chat', 'Chat', 'completions', 'files', 'other']
    const signs = ['/', '.', '..', '%2f', '%2e', '%43', '%00', ';', '\\', '//', ' ']
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words, ...signs), { maxLength: 12 }), (parts) => {
        const target = unmetered('POST', `/v1/${parts.join('')}`)
        if (target?.route.billing !== 'unmetered') return
        expect(target.path).toMatch(/^(\/[A-Za-z.]+)+$/)
        expect(target.path).not.toMatch(/\/\.{1,2}(\/|$)/)
        expect(find('POST', `/v1${target.path.toLowerCase()}`)).toBeNull()
      }),
    )
  })
})
