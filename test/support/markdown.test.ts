import { describe, expect, it } from 'vitest'
import { blockFault, blocksOf, isOptedOut, linksOf } from './markdown.ts'

const page = (...lines: string[]) => ({ path: 'docs/guides/page.md', text: lines.join('\n') })

describe('the reader of pages', () => {
  it('finds blocks with their line, and binds a text block to the shell block before it', () => {
    const blocks = blocksOf(
      page(
        'Prose.',
        '```sh',
        'octroi --version',
        '```',
        '',
        '```text',
        '0.1.0',
        '```',
        'And',
        '```json',
        '{}',
        '```',
      ),
    )
    expect(blocks.map(({ language, line, text, expected }) => ({ language, line, text, expected }))).toEqual([
      { language: 'sh', line: 2, text: 'octroi --version\n', expected: '0.1.0\n' },
      { language: 'text', line: 6, text: '0.1.0\n', expected: null },
      { language: 'json', line: 10, text: '{}\n', expected: null },
    ])
  })

  it('does not bind a text block when prose stands between', () => {
    const blocks = blocksOf(page('```sh', 'octroi', '```', 'A folder:', '```text', 'src', '```'))
    expect(blocks[0]?.expected).toBeNull()
  })

  it('wants a reason for a block that is not run', () => {
    const [bare, reasoned] = blocksOf(
      page('```sh not-run', 'npm ci', '```', '```sh not-run: it needs a fresh clone', 'npm ci', '```'),
    )
    expect(bare && blockFault(bare)).toContain('no reason')
    expect(reasoned && [isOptedOut(reasoned), blockFault(reasoned)]).toEqual([true, null])
  })

  it.each([
    ['broken JSON', 'json', '{', 'does not parse'],
    ['a language nobody checks', 'python', 'x', 'nothing here can check'],
    ['no language', '', 'x', 'nothing here can check'],
    ['a command that installs', 'sh', 'npm ci', 'not-run'],
  ])('finds fault with %s', (_, language, text, fault) => {
    const [block] = blocksOf(page(`\`\`\`${language}`, text, '```'))
    expect(block && blockFault(block)).toContain(fault)
  })

  it('finds relative links from where the page stands, outside of blocks', () => {
    const links = linksOf(
      page(
        '[a](../errors.md#codes) [b](https://example.com) [c](#here) ![d](d.png "D")',
        '```text',
        '[e](e.md)',
        '```',
      ),
    )
    expect(links).toEqual(['docs/errors.md', 'docs/guides/d.png'])
  })
})
