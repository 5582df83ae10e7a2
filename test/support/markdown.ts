import { posix } from 'node:path'
import type { Source } from './source.ts'

/** A fenced block of a page. `info` is all that stands after the fence; `line` is that of its first fence.
 * `expected` is the text block that follows a shell block with nothing between: what it prints. */
export type Block = {
  readonly path: string
  readonly line: number
  readonly language: string
  readonly info: string
  readonly text: string
  readonly expected: string | null
}

/** A block that says "not-run: reason" is for reading only. */
export const isOptedOut = (block: Block): boolean => /^\w+ not-run: \S+ \S+/.test(block.info)

/** Every fenced block of a page. A fence that is never closed ends with the page. */
export const blocksOf = (page: Source): readonly Block[] => {
  const blocks: Block[] = []
  let open: { fence: string; info: string; line: number; lines: string[] } | null = null
  let proseSince = true
  const lines = page.text.split('\n')
  for (const [index, line] of lines.entries()) {
    const fence = /^\s*(`{3,}|~{3,})(.*)$/.exec(line)
    if (open && fence?.[1]?.startsWith(open.fence) && fence[2]?.trim() === '') {
      const text = open.lines.map((each) => `${each}\n`).join('')
      const before = blocks.at(-1)
      const language = open.info.split(' ')[0] ?? ''
      if (language === 'text' && before?.language === 'sh' && !proseSince) {
        blocks[blocks.length - 1] = { ...before, expected: text }
      }
      blocks.push({ path: page.path, line: open.line, language, info: open.info, text, expected: null })
      open = null
      proseSince = false
    } else if (open !== null) open.lines.push(line)
    else if (fence !== null) {
      open = { fence: fence[1] ?? '', info: (fence[2] ?? '').trim(), line: index + 1, lines: [] }
    } else if (line.trim() !== '') proseSince = true
  }
  return blocks
}

/** What is wrong with the form of a block, or null. Each language is checked in its own way; what is only to be
 * read must say why. */
export const blockFault = (block: Block): string | null => {
  const { language, info, text } = block
  if (info.includes('not-run') && !isOptedOut(block))
    return 'gives no reason: write "not-run: why it is not run"'
  if (isOptedOut(block) || language === 'text' || language === 'mermaid' || language === 'ts') return null
  if (language === 'json') return jsonFault(text)
  if (language !== 'sh') return `is in "${language}", which nothing here can check`
  const foreign = text.split('\n').find((line) => /^\s*(?:npm|git|docker|curl|export)\b/.test(line))
  return foreign === undefined ? null : `runs "${foreign.trim()}": mark it "not-run: why"`
}

const jsonFault = (text: string): string | null => {
  try {
    JSON.parse(text)
    return null
  } catch (error) {
    return `does not parse: ${error instanceof Error ? error.message : error}`
  }
}

/** The relative links of a page, as paths from the project's folder, without anchors. */
export const linksOf = (page: Source): readonly string[] => {
  const prose = page.text.replace(/^\s*(`{3,}|~{3,})[\s\S]*?^\s*\1\s*$/gm, '')
  const targets = [...prose.matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)].map(([, target = '']) => target)
  return targets
    .filter((target) => !/^[a-z]+:|^#/.test(target))
    .map((target) => posix.join(posix.dirname(page.path), decodeURI(target.replace(/#.*$/, ''))))
}
