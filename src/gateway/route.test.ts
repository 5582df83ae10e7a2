import { describe, expect, it } from 'vitest'
import { defaultConfig } from './config.ts'
import { createRouter } from './route.ts'

const router = createRouter(defaultConfig({}).upstreams)

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
