import { blank, type Import, importsOf, type Source, targetOf } from './source.ts'

/** What a rule found: where, and what to do. */
export type Violation = { readonly path: string; readonly message: string }

/** The rooms from left to right: each imports only from those before it. `errors` and `time` are files. */
const rooms = [
  'errors',
  'time',
  'money',
  'usage',
  'tokens',
  'pricing',
  'endpoints',
  'providers',
  'planning',
  'limits',
  'ledger',
  'reports',
  'sandbox',
  'gateway',
  'cli',
] as const

/** Rooms without clock, disk, network, process or chance. */
const pureRooms: readonly string[] = [...rooms.slice(0, rooms.indexOf('ledger')), 'reports']

/** Packages a pure room may use: they compute, and touch nothing. */
const purePackages = /^(?:temporal-polyfill|gpt-tokenizer|@noble\/hashes|zod|image-size\/types)(?:\/|$)/

/** The library's door belongs to no room and holds only what is browser-safe: it may look into pure rooms. */
const libraryDoor = 'src/index.ts'

const roomOf = (path: string): string =>
  path
    .replace(/^src\//, '')
    .replace(/\.ts$/, '')
    .split('/')[0] ?? ''

const isTest = (path: string): boolean => path.endsWith('.test.ts')

const ownSources = (sources: readonly Source[]): readonly Source[] =>
  sources.filter(({ path }) => path.startsWith('src/') && !isTest(path))

/** Imports run from right to left only. */
export const importOrder = (sources: readonly Source[]): readonly Violation[] =>
  ownSources(sources).flatMap((source) => {
    const room = roomOf(source.path)
    const place = (rooms as readonly string[]).indexOf(room)
    if (source.path !== libraryDoor && place === -1) {
      return [{ path: source.path, message: `stands in no room: "${room}" is not in the order` }]
    }
    return importsOf(source).flatMap((found) => {
      const target = targetOf(found)
      if (target === null) return []
      const other = roomOf(target)
      const allowed =
        source.path === libraryDoor
          ? pureRooms.includes(other)
          : other === room || (rooms as readonly string[]).slice(0, place).includes(other)
      return allowed ? [] : [{ path: source.path, message: `${room} must not import ${found.specifier}` }]
    })
  })

const impurities: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  { pattern: /\bDate\s*\.\s*now\b/, what: 'Date.now' },
  { pattern: /\bDate\s*\(\s*\)/, what: 'the current Date' },
  { pattern: /\bTemporal\s*\.\s*Now\b/, what: 'Temporal.Now' },
  { pattern: /\bMath\s*\.\s*random\b/, what: 'Math.random' },
  ...[
    'process',
    'fetch',
    'performance',
    'setTimeout',
    'setInterval',
    'setImmediate',
    'crypto',
    'globalThis',
    'XMLHttpRequest',
    'WebSocket',
  ].map((name) => ({ pattern: new RegExp(`(?<![.\\w$'"])${name}\\b(?!['"]?\\s*[:?]\\s)`), what: name })),
]

/** Pure rooms touch nothing of the machine: what they need of time, chance or data comes in as an argument.
 * `tokens` loads its rank data lazily, by dynamic imports of a package, which is allowed like any other. */
export const purity = (sources: readonly Source[]): readonly Violation[] =>
  ownSources(sources)
    .filter(({ path }) => pureRooms.includes(roomOf(path)) || path === libraryDoor)
    .flatMap((source) => {
      const code = blank(source.text, { strings: true })
      const touched = impurities
        .filter(({ pattern }) => pattern.test(code))
        .map(({ what }) => ({ path: source.path, message: `is in a pure room and uses ${what}` }))
      const foreign = importsOf(source)
        .filter((found) => targetOf(found) === null && !purePackages.test(found.specifier))
        .map(({ specifier }) => ({
          path: source.path,
          message: `is in a pure room and imports ${specifier}`,
        }))
      const lazy = importsOf(source)
        .filter((found) => found.dynamic && roomOf(source.path) !== 'tokens')
        .map(({ specifier }) => ({
          path: source.path,
          message: `loads ${specifier} lazily; only tokens may`,
        }))
      return [...touched, ...foreign, ...lazy]
    })

/** One file of `src` reads the wall clock, so that one clock can be set for all. */
export const wallClock = (sources: readonly Source[]): readonly Violation[] =>
  onlyIn(
    'src/cli/clock.ts',
    sources,
    /\bDate\s*\.\s*now\b|\bDate\s*\(\s*\)|\bTemporal\s*\.\s*Now\b|\btimeOrigin\b/,
    'reads the wall clock: take a Clock',
  )

/** One file of `src` reads the environment. */
export const environment = (sources: readonly Source[]): readonly Violation[] =>
  onlyIn(
    'src/cli/io.ts',
    sources,
    /\bprocess\s*(?:\.|\?\.|\[)\s*(?:env\b|'\s*')|\benv\b[^}\n]*\}\s*=\s*process\b|\bimport\.meta\.env\b|\bloadEnvFile\b/,
    'reads the environment: take it from Io',
  )

const onlyIn = (
  place: string,
  sources: readonly Source[],
  pattern: RegExp,
  message: string,
): readonly Violation[] =>
  ownSources(sources)
    .filter(({ path, text }) => path !== place && pattern.test(blank(text, { strings: true })))
    .map(({ path }) => ({ path, message }))

/** No file loads itself by way of others. Types are erased and may go round; lazy imports are the way out. */
export const importCycles = (sources: readonly Source[]): readonly Violation[] => {
  const graph = graphOf(ownSources(sources), (found) => !found.dynamic && !found.typeOnly)
  const done = new Set<string>()
  const cycles: Violation[] = []
  const walk = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path)
    if (start !== -1) {
      cycles.push({ path, message: `imports itself: ${[...trail.slice(start), path].join(' > ')}` })
      return
    }
    if (done.has(path)) return
    for (const next of graph.get(path) ?? []) walk(next, [...trail, path])
    done.add(path)
  }
  for (const path of graph.keys()) walk(path, [])
  return cycles
}

const graphOf = (
  sources: readonly Source[],
  counts: (found: Import) => boolean,
): ReadonlyMap<string, readonly string[]> =>
  new Map(
    sources.map((source) => [
      source.path,
      importsOf(source)
        .filter(counts)
        .flatMap((found) => targetOf(found) ?? []),
    ]),
  )

/** What the sandbox's books must not share with the ledger's, so that their agreement means something. */
const hiddenFromSandbox = [
  /^src\/usage\/read\.ts$/,
  /^src\/pricing\/price\.ts$/,
  /^src\/planning\//,
  /^src\/endpoints\//,
]

/** The sandbox keeps its own books: neither it nor anything it imports, types and all, reaches what computes
 * the ledger's. */
export const sandboxIndependence = (sources: readonly Source[]): readonly Violation[] => {
  const graph = graphOf(ownSources(sources), () => true)
  const cameFrom = new Map<string, string | null>()
  const queue = [...graph.keys()].filter((path) => path.startsWith('src/sandbox/'))
  for (const path of queue) cameFrom.set(path, null)
  for (let at = 0; at < queue.length; at += 1) {
    const path = queue[at] ?? ''
    for (const next of graph.get(path) ?? []) {
      if (cameFrom.has(next)) continue
      cameFrom.set(next, path)
      queue.push(next)
    }
  }
  const trail = (path: string): string => {
    const before = cameFrom.get(path)
    return before == null ? path : `${trail(before)} > ${path}`
  }
  return queue
    .filter((path) => hiddenFromSandbox.some((pattern) => pattern.test(path)))
    .map((path) => ({ path: 'src/sandbox', message: `reaches what it must not know: ${trail(path)}` }))
}

const lines = { max: 400, reason: /^\/[/*]+ Long because: \S/m }

/** A file over 400 lines says why, in a comment that begins "Long because:". */
export const fileLength = (sources: readonly Source[]): readonly Violation[] =>
  sources
    .filter(({ path, text }) => {
      const length = text.split('\n').length - 1
      return !path.endsWith('.gen.ts') && length > lines.max && !lines.reason.test(text)
    })
    .map(({ path }) => ({ path, message: `has more than ${lines.max} lines and no "Long because:" comment` }))

/** A relative import names the file as it is on the disk. */
export const importEndings = (sources: readonly Source[]): readonly Violation[] =>
  sources.flatMap((source) =>
    importsOf(source)
      .filter(({ specifier }) => specifier.startsWith('.') && !/\.(ts|json|mjs)$/.test(specifier))
      .map(({ specifier }) => ({ path: source.path, message: `imports ${specifier}: write the .ts` })),
  )

type CodeFacts = { readonly status: number; readonly exit: number }

/** `docs/errors.md` has one row for every code, `| \`code\` | status | exit | ...`, with the same numbers. */
export const errorDocs = (
  codes: Readonly<Record<string, CodeFacts>>,
  text: string,
  path: string,
): readonly Violation[] => {
  const rows = [...text.matchAll(/^\| `([a-z_]+)` \| (\d+) \| (\d+) \| (.+) \|$/gm)].map(
    ([, code = '', status, exit]) => ({ code, status: Number(status), exit: Number(exit) }),
  )
  const missing = Object.keys(codes)
    .filter((code) => !rows.some((row) => row.code === code))
    .map((code) => ({ path, message: `says nothing of ${code}` }))
  const wrong = rows.flatMap((row, index) => {
    const facts = Object.hasOwn(codes, row.code) ? codes[row.code] : undefined
    if (facts === undefined) return [{ path, message: `explains ${row.code}, which is no code` }]
    if (rows.findIndex(({ code }) => code === row.code) !== index) {
      return [{ path, message: `explains ${row.code} twice` }]
    }
    const same = facts.status === row.status && facts.exit === row.exit
    return same ? [] : [{ path, message: `gives ${row.code} another status or exit than src/errors.ts` }]
  })
  return [...missing, ...wrong]
}

/** The glossary has one row for every meter, `| \`meter\` | ...`, and for nothing else in that form. */
export const meterDocs = (
  meters: Readonly<Record<string, unknown>>,
  text: string,
  path: string,
): readonly Violation[] => {
  const rows = [...text.matchAll(/^\| `([a-z0-9_]+)` \|/gm)].map(([, meter = '']) => meter)
  const missing = Object.keys(meters).filter((meter) => !rows.includes(meter))
  const extra = rows.filter((meter, index) => !Object.hasOwn(meters, meter) || rows.indexOf(meter) !== index)
  return [
    ...missing.map((meter) => ({ path, message: `says nothing of ${meter}` })),
    ...extra.map((meter) => ({ path, message: `explains ${meter}, which is no meter, or twice` })),
  ]
}
