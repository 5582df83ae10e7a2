/** A path of vendors that is never passed on, with all below it. `*` stands for any one part. */
export type ClosedPath = {
  readonly path: string
  readonly why: string
  /** Where the vendor documents it, and when that was read. */
  readonly source: string
}

const administrative = 'it administers an account at the vendor'
const minting = 'it gives out a secret with which calls go past this gateway'
const sharing = "it changes who may use an object with the vendor's key"

/** Closed at every provider: those that speak another's wire may well have its other paths. */
const closedEverywhere: readonly ClosedPath[] = [
  { path: '/organization', why: administrative, source: 'openai 7.57.0, resources/admin (2026-11)' },
  { path: '/realtime/client_secrets', why: minting, source: 'openai 7.57.0, resources/realtime (2026-11)' },
  { path: '/realtime/sessions', why: minting, source: 'openai-openapi, openapi.yaml (2026-08-21)' },
  {
    path: '/realtime/transcription_sessions',
    why: minting,
    source: 'openai-openapi, openapi.yaml (2026-08-21)',
  },
  {
    path: '/realtime/translations/client_secrets',
    why: minting,
    source: 'openai-openapi, openapi.yaml (2026-08-21)',
  },
  { path: '/realtime/calls', why: minting, source: 'openai 7.57.0, resources/realtime (2026-11)' },
  { path: '/live/sessions', why: minting, source: 'openai 7.57.0, resources (2026-11)' },
  { path: '/chatkit/sessions', why: minting, source: 'openai 7.57.0, resources/beta/chatkit (2026-11)' },
  {
    path: '/organizations',
    why: administrative,
    source: 'https://platform.claude.com/docs/manage-claude/admin-api (2026-11)',
  },
  { path: '/auth_tokens', why: minting, source: '@google/genai 3.3.0, tokens.create (2026-11)' },
  {
    path: '/tunedModels/*/permissions',
    why: sharing,
    source: 'https://ai.google.dev/api/tuning/permissions (2026-11)',
  },
  {
    path: '/tunedModels/*:transferOwnership',
    why: sharing,
    source: 'https://ai.google.dev/api/rest/v1beta/tunedModels/transferOwnership (2026-11)',
  },
  {
    path: '/corpora/*/permissions',
    why: sharing,
    source: 'https://ai.google.dev/api/tuning/permissions (2026-11)',
  },
  {
    path: '/keys',
    why: minting,
    source: 'https://openrouter.ai/docs/features/programmatic-api-key-management (2026-11)',
  },
  {
    path: '/auth/keys',
    why: minting,
    source: 'https://openrouter.ai/docs/guides/overview/auth/llms-full.txt (2026-11)',
  },
]

/** OpenAI's projects are a part of its administration; elsewhere a path may begin with the project it belongs to. */
export const openaiClosed: readonly ClosedPath[] = [
  { path: '/projects', why: administrative, source: 'openai-openapi, openapi.yaml (2026-08-21)' },
]

/** The closed path that a path may mean to a lenient server, or null: after all decoding, without regard to case,
 * below any version. `own`: those of its provider alone. */
export const closedAt = (path: string, own: readonly ClosedPath[] = []): ClosedPath | null => {
  const parts = meantBy(path)
  const begins = [...parts.keys()].filter((index) => parts.slice(0, index).every(isPrefix))
  return (
    [...closedEverywhere, ...own].find((closed) => {
      const pattern = closed.path.toLowerCase().split('/').slice(1)
      return begins.some((begin) => fits(pattern, parts.slice(begin)))
    }) ?? null
  )
}

/** The parts of a path as the most lenient of servers could read it, in lower case. */
export const meantBy = (path: string): readonly string[] => {
  const parts: string[] = []
  for (const part of decoded(path).split(/[/\\]+/)) {
    const plain = part.replace(/;.*$/s, '').toLowerCase()
    if (plain === '..') parts.pop()
    else if (plain !== '' && plain !== '.') parts.push(plain)
  }
  return parts
}

/** What stands in front of the paths that a vendor documents: a version, and on Azure `openai`. */
const isPrefix = (part: string): boolean => /^v\d[a-z0-9]*$/.test(part) || part === 'openai'

const fits = (pattern: readonly string[], parts: readonly string[]): boolean =>
  parts.length >= pattern.length && pattern.every((wanted, index) => isPart(parts[index] ?? '', wanted))

/** `*` is any one; an action may stand behind a name. */
const isPart = (part: string, wanted: string): boolean => {
  if (wanted === '*') return true
  if (wanted.startsWith('*')) return part.endsWith(wanted.slice(1))
  return part === wanted || part.startsWith(`${wanted}:`)
}

/** How often a path may be encoded over again; one that still has an escape then keeps it. */
const decodingsMax = 16

/** Without escapes, and without what no server sees: white space and control characters. */
const decoded = (path: string): string => {
  let text = path
  for (let turns = 0; turns < decodingsMax; turns += 1) {
    const next = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
    if (next === text) break
    text = next
  }
  return text.replace(/[\p{Cc}\s]/gu, '')
}
