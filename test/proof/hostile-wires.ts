const content = 'How many moons has Mars?'
const messages = [{ role: 'user', content }]
const contents = [{ parts: [{ text: content }] }]

/** Each wire, its body, and where its errors say what kind they are. */
export const hostileWires = [
  {
    name: 'openai',
    path: '/chat/completions',
    missing: '/v1/no/such/path',
    body: { model: 'gpt-4o', messages },
    stream: { path: '/chat/completions', body: { model: 'gpt-4o', messages, stream: true } },
    kindOf: (error: Told) => error.error.type,
    kinds: { 400: 'invalid_request_error', 401: 'invalid_request_error', 404: 'invalid_request_error' },
    broken: 'server_error',
    late: 'server_error',
  },
  {
    name: 'anthropic',
    path: '/v1/messages',
    missing: '/anthropic/v1/no/such/path',
    body: { model: 'claude-haiku-4-5', max_tokens: 100, messages },
    stream: {
      path: '/v1/messages',
      body: { model: 'claude-haiku-4-5', max_tokens: 100, messages, stream: true },
    },
    kindOf: (error: Told) => error.error.type,
    kinds: { 400: 'invalid_request_error', 401: 'authentication_error', 404: 'not_found_error' },
    broken: 'api_error',
    late: 'timeout_error',
  },
  {
    name: 'google',
    path: '/v1beta/models/gemini-2.5-flash:generateContent',
    missing: '/google/v1beta/no/such/path',
    body: { contents },
    stream: { path: '/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse', body: { contents } },
    kindOf: (error: Told) => error.error.status,
    kinds: { 400: 'INVALID_ARGUMENT', 401: 'UNAUTHENTICATED', 404: 'NOT_FOUND' },
    broken: 'UNAVAILABLE',
    late: 'DEADLINE_EXCEEDED',
  },
] as const

/** An error as any of the wires tells it. */
export type Told = {
  readonly error: { readonly type?: string; readonly status?: string; readonly message: string }
}
