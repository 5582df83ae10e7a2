import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hexFrom, type Random, randomFrom } from '../../src/sandbox/random.ts'

/** Texts of one kind, each different, in all about so many bytes, the same at each run of the same checkout. */
export type Kind = 'English prose' | 'code' | 'JSON'

/** Documents of about 16 KB. Prose follows the word pairs of this project's pages, with names and years that nobody has
 * met; code is blocks of lines of its sources, in an order of their own; JSON is records of numbers, ids and words. */
export const documents = (kind: Kind, bytes: number): readonly string[] =>
  Array.from({ length: Math.ceil(bytes / documentBytes) }, (_, index) =>
    writers[kind](randomFrom('documents', kind, String(index))),
  )

/** Texts that stall other tokenizers: one piece of so many bytes each. */
export const hostileTexts = (bytes: number): ReadonlyMap<string, string> => {
  const random = randomFrom('hostile')
  const points = (least: number, most: number, width: number): string =>
    Array.from({ length: bytes / width }, () => String.fromCodePoint(random.whole({ least, most }))).join('')
  return new Map([
    ['a', 'a'.repeat(bytes)],
    ['spaces', ' '.repeat(bytes)],
    ['random Han', points(0x4e00, 0x9fa5, 3)],
    ['combining marks', points(0x300, 0x36f, 2)],
    ['an emoji', '👍'.repeat(bytes / 4)],
  ])
}

const documentBytes = 16_000

const grow = (part: () => string, separator: string): string => {
  const parts: string[] = []
  for (let length = 0; length < documentBytes; length += separator.length) {
    const next = part()
    parts.push(next)
    length += next.length
  }
  return parts.join(separator)
}

const root = fileURLToPath(new URL('../../', import.meta.url))

const textsOf = (folder: string, ending: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(
      (file) => file.isFile() && file.name.endsWith(ending) && !file.parentPath.includes('node_modules'),
    )
    .map((file) => readFileSync(join(file.parentPath, file.name), 'utf8'))

/** What follows each word, as often as it does. */
const followers = (() => {
  const after = new Map<string, string[]>()
  for (const text of textsOf('docs', '.md')) {
    const words = text.replace(/```[\s\S]*?```/g, ' ').match(/[\p{L}][\p{L}'’-]*[.,;:]?/gu) ?? []
    words.forEach((word, index) => {
      after.set(word, [...(after.get(word) ?? []), words[index + 1] ?? 'The'])
    })
  }
  return after
})()

const sources = textsOf('src', '.ts').map((text) => text.split('\n'))

const anyOf = <T>(random: Random, list: readonly T[], otherwise: T): T =>
  list[random.whole({ least: 0, most: Math.max(0, list.length - 1) })] ?? otherwise

const invented = (random: Random): string =>
  Array.from({ length: random.whole({ least: 2, most: 4 }) }, () =>
    anyOf(random, ['ka', 'ro', 'vel', 'min', 'sta', 'ork', 'lin', 'dre', 'os', 'tha', 'ber', 'quin'], 'a'),
  )
    .join('')
    .replace(/^./, (first) => first.toUpperCase())

const writers: Record<Kind, (random: Random) => string> = {
  'English prose': (random) => {
    let word = 'The'
    return grow(() => {
      const chance = random.whole({ least: 1, most: 100 })
      if (chance <= 2) return invented(random)
      if (chance === 3) return String(random.whole({ least: 1900, most: 2026 }))
      word = anyOf(random, followers.get(word) ?? [], 'The')
      return chance === 4 ? `${word}\n\n` : word
    }, ' ')
  },
  code: (random) =>
    grow(() => {
      const lines = anyOf(random, sources, [])
      const start = random.whole({ least: 0, most: lines.length })
      return lines.slice(start, start + random.whole({ least: 3, most: 12 })).join('\n')
    }, '\n'),
  JSON: (random) => {
    const number = () => random.whole({ least: 0, most: 1_000_000 })
    const words = () => Array.from({ length: 6 }, () => anyOf(random, [...followers.keys()], 'a')).join(' ')
    return `[${grow(
      () =>
        JSON.stringify({
          id: hexFrom(24, String(number())),
          created_at: `2026-0${1 + (number() % 9)}-1${number() % 10}T0${number() % 10}:3${number() % 10}:00Z`,
          amount: number() / 100,
          tags: [invented(random).toLowerCase(), invented(random)],
          message: { role: 'user', content: words() },
          parent: number() % 2 === 0 ? null : number(),
        }),
      ',',
    )}]`
  },
}
