import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'

/** A text file of the project; `path` is relative to its folder, with slashes. */
export type Source = { readonly path: string; readonly text: string }

/** One import: where it stands, what it asks for, and whether it is erased with the types. */
export type Import = {
  readonly from: string
  readonly specifier: string
  readonly typeOnly: boolean
  readonly dynamic: boolean
}

/** Reads every file under some folders of the project whose name ends as wanted. */
export const readSources = (root: string, folders: readonly string[], ending: string): readonly Source[] =>
  folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => posix.join(folder, name.replaceAll('\\', '/')))
      .filter((path) => path.endsWith(ending) && !path.includes('node_modules/'))
      .sort()
      .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') })),
  )

/** The same text with comments replaced by blanks; with `strings`, the insides of strings and regular
 * expressions as well. Every other character keeps its place. Code inside a template stays. */
export const blank = (text: string, options: { readonly strings: boolean }): string => {
  let result = ''
  let last = ''
  let depth = 0
  /** At which depth of braces each open template began. */
  const templates: number[] = []
  for (let at = 0; at < text.length; ) {
    const { kind, end } = pieceAt(text, at, { last, inTemplate: templates.at(-1) === depth })
    const piece = text.slice(at, end)
    if (kind === 'backtick' && templates.at(-1) === depth) templates.pop()
    else if (kind === 'backtick') templates.push(depth)
    if (kind === 'open') depth += 1
    if (kind === 'close') depth -= 1
    if (kind === 'comment' || (kind === 'template' && options.strings)) result += hidden(piece)
    else if (kind === 'quoted' && options.strings) {
      result += piece.slice(0, 1) + hidden(piece.slice(1, -1)) + piece.slice(-1)
    } else result += piece
    if (kind !== 'comment' && piece.trim() !== '') last = kind === 'quoted' ? "'" : piece
    at = end
  }
  return result
}

type Piece = {
  readonly kind: 'comment' | 'quoted' | 'template' | 'backtick' | 'open' | 'close' | 'code'
  readonly end: number
}

const pieceAt = (text: string, at: number, state: { last: string; inTemplate: boolean }): Piece => {
  const char = text[at] ?? ''
  const two = text.slice(at, at + 2)
  if (char === '`') return { kind: 'backtick', end: at + 1 }
  if (state.inTemplate) {
    if (two === '${') return { kind: 'open', end: at + 2 }
    return { kind: 'template', end: at + (char === '\\' ? 2 : 1) }
  }
  if (two === '//' || two === '/*') return { kind: 'comment', end: endOfComment(text, at) }
  if (char === "'" || char === '"' || (char === '/' && startsExpression(state.last))) {
    return { kind: 'quoted', end: endOfQuoted(text, at) }
  }
  if (char === '{') return { kind: 'open', end: at + 1 }
  if (char === '}') return { kind: 'close', end: at + 1 }
  const word = /^[\w$]*/.exec(text.slice(at, at + 80))?.[0] ?? ''
  return { kind: 'code', end: at + Math.max(1, word.length) }
}

const hidden = (text: string): string => text.replace(/[^\n]/g, ' ')

const endOfComment = (text: string, at: number): number => {
  const line = text[at + 1] === '/'
  const end = text.indexOf(line ? '\n' : '*/', at + 2)
  return end === -1 ? text.length : line ? end : end + 2
}

const endOfQuoted = (text: string, start: number): number => {
  const quote = text[start]
  let inClass = false
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text[at]
    if (char === '\\') at += 1
    else if (char === '\n') return at
    else if (quote === '/' && char === '[') inClass = true
    else if (quote === '/' && char === ']') inClass = false
    else if (char === quote && !inClass) return at + 1
  }
  return text.length
}

/** Whether a slash after this token begins a regular expression instead of dividing. */
const startsExpression = (last: string): boolean =>
  last === '' || /^(?:[=(,:[!&|?{};+*%<>~^-]|\$\{|return|typeof|case|in|of|await|yield)$/.test(last)

const statement =
  /(?:^|[;\n}])\s*(?:import|export)\s+(?<type>type\s+)?(?:(?<names>[\w$*{][^'"`;()=]*?)\s+from\s+)?(?<quoted>['"] +['"])/dg
const dynamic = /\b(?:import|moduleUrl|new\s+URL)\s*\(\s*(?<quoted>['"] +['"])/dg

/** Every import and re-export of a file: statements first, then what is loaded later, by a dynamic import or by
 * its address in a thread. */
export const importsOf = (source: Source): readonly Import[] => [
  ...found(source, statement).map(({ specifier, groups }) => ({
    from: source.path,
    specifier,
    typeOnly: groups.type !== undefined || isOnlyTypes(groups.names ?? ''),
    dynamic: false,
  })),
  ...found(source, dynamic)
    .filter(({ specifier, address }) => !address || /^\.{1,2}\/.*\.ts$/.test(specifier))
    .map(({ specifier }) => ({ from: source.path, specifier, typeOnly: false, dynamic: true })),
]

type Groups = Readonly<Record<string, string | undefined>>

/** What a pattern finds in the code, where strings are blank; what they say is read from the text itself. */
const found = (source: Source, pattern: RegExp): { specifier: string; address: boolean; groups: Groups }[] =>
  [...blank(source.text, { strings: true }).matchAll(pattern)].map((match) => {
    const [start = 0, end = 0] = match.indices?.groups?.quoted ?? []
    return {
      specifier: source.text.slice(start + 1, end - 1),
      address: !match[0].startsWith('import'),
      groups: match.groups ?? {},
    }
  })

const isOnlyTypes = (names: string): boolean => {
  const inner = /^\{([^}]*)\}$/.exec(names.trim())?.[1]
  if (inner === undefined) return false
  const each = inner.split(',').filter((name) => name.trim() !== '')
  return each.length > 0 && each.every((name) => name.trim().startsWith('type '))
}

/** The path a relative import points to, or null when it names a package. */
export const targetOf = ({ from, specifier }: Import): string | null =>
  specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : null
