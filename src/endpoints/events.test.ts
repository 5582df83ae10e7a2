import { describe, expect, it } from 'vitest'
import { readEvent } from './events.ts'

describe('an event', () => {
  it('has data, and a type where a line says so', () => {
    expect(readEvent('data: {"a":1}\n\n')).toEqual({ type: null, data: '{"a":1}' })
    expect(readEvent('event: done\ndata:[DONE]\n\n')).toEqual({ type: 'done', data: '[DONE]' })
  })

  it('may have data on several lines, which belong together', () => {
    expect(readEvent('data: {"a":\ndata: 1}\n\n')?.data).toBe('{"a":\n1}')
  })

  it('may end its lines as Windows does', () => {
    expect(readEvent('event: ping\r\ndata: {}\r\n\r\n')).toEqual({ type: 'ping', data: '{}' })
  })

  it('is none where there are only comments', () => {
    expect(readEvent(': OPENROUTER PROCESSING data: 1\n\n')).toBeNull()
  })
})
