import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { closedAt, openaiClosed } from './closed.ts'

/** Paths as vendors document them, and one below each. */
const closed = [
  '/organization',
  '/organization/admin_api_keys',
  '/organization/projects/proj_1/api_keys',
  '/projects/proj_1/roles',
  '/realtime/client_secrets',
  '/realtime/sessions',
  '/realtime/transcription_sessions',
  '/realtime/translations/client_secrets',
  '/realtime/calls',
  '/live/sessions',
  '/chatkit/sessions',
  '/organizations/api_keys',
  '/auth_tokens',
  '/tunedModels/m-1/permissions',
  '/tunedModels/m-1:transferOwnership',
  '/corpora/c-1/permissions',
  '/keys',
  '/keys/k-1',
  '/auth/keys',
] as const

/** Ways to write a path that a lenient server reads as the same. */
const escaped = (path: string, at: number): string => {
  const index = at % path.length
  const hex = path.charCodeAt(index).toString(16).padStart(2, '0')
  return `${path.slice(0, index)}%${hex}${path.slice(index + 1)}`
}

const disguises: readonly ((path: string, at: number) => string)[] = [
  escaped,
  (path) => path.replaceAll('%', '%25'),
  (path, at) => (at % 2 === 0 ? path.toUpperCase() : path.toLowerCase()),
  (path) => path.replaceAll('/', '//'),
  (path) => path.replaceAll('/', '/./'),
  (path) => `/files/..${path}`,
  (path) => `/a/%2e%2e${path}`,
  (path) => path.replaceAll('/', '\\'),
  (path) => `${path}/`,
  (path) => `${path};x=1`,
  (path) => `${path}%20`,
  (path) => `/v1${path}`,
  (path) => `/openai/v1${path}`,
]

describe('closed paths', () => {
  it.each(closed)('are closed at OpenAI: %s', (path) => {
    expect(closedAt(path, openaiClosed)?.why).toMatch(/^it /)
  })

  it.each([
    '/chat/completions',
    '/files/organization',
    '/keysmith',
    '/realtime',
    '/models/keys',
    '/tunedModels/m-1',
    '/chatkit/threads',
  ])('are not all: %s', (path) => {
    expect(closedAt(path, openaiClosed)).toBeNull()
  })

  it("lets a vendor's paths begin with a project, where that is no administration", () => {
    expect(closedAt('/projects/p-1/locations/l-1/endpoints')).toBeNull()
  })

  it('are closed however they are written (up to eight disguises on top of one another)', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...closed),
        fc.array(fc.tuple(fc.constantFrom(...disguises), fc.nat(100)), { maxLength: 8 }),
        (path, steps) => {
          const written = steps.reduce((so, [disguise, at]) => disguise(so, at), path as string)
          expect(closedAt(written, openaiClosed)).not.toBeNull()
        },
      ),
    )
  })

  it('says where each is documented, and when that was read', () => {
    for (const path of closed)
      expect(closedAt(path, openaiClosed)?.source).toMatch(/\(20\d\d-\d\d(-\d\d)?\)$/)
  })
})
