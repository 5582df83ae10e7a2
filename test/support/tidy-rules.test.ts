import { describe, expect, it } from 'vitest'
import type { Source } from './source.ts'
import {
  environment,
  errorDocs,
  fileLength,
  importCycles,
  importEndings,
  importOrder,
  meterDocs,
  purity,
  sandboxIndependence,
  wallClock,
} from './tidy-rules.ts'

/** Some files, as a rule sees them. */
const planted = (files: Readonly<Record<string, string>>): readonly Source[] =>
  Object.entries(files).map(([path, text]) => ({ path, text }))

describe('the rule of import order', () => {
  it.each([
    ['a room to the right', { 'src/money/money.ts': `import { price } from '../pricing/price.ts'` }],
    ['only a type of it', { 'src/usage/usage.ts': `import type { Limit } from '../limits/limit.ts'` }],
    ['it lazily', { 'src/limits/admit.ts': `const x = await import('../cli/clock.ts')` }],
    ['a re-export of it', { 'src/time.ts': `export * from './money/money.ts'` }],
    ['the library door', { 'src/money/money.ts': `import { add } from '../index.ts'` }],
    ['an impure room in the library', { 'src/index.ts': `export { open } from './ledger/database.ts'` }],
  ])('catches %s', (_, files) => {
    expect(importOrder(planted(files))).toHaveLength(1)
  })

  it('catches a file in a room that does not exist', () => {
    expect(importOrder(planted({ 'src/attic/box.ts': '' }))).toHaveLength(1)
  })

  it('lets a room import itself, rooms to its left, and packages; a test may import anything', () => {
    const files = {
      'src/money/money.ts': `import { a } from './rational.ts'\nimport { b } from '../errors.ts'\nimport c from 'zod'`,
      'src/money/money.test.ts': `import { main } from '../cli/main.ts'`,
      'src/index.ts': `export { add } from './money/rational.ts'`,
    }
    expect(importOrder(planted(files))).toEqual([])
  })
})

describe('the rule of purity', () => {
  it.each([
    'const at = Date.now()',
    'const at = new Date()',
    'const at = Temporal.Now.instant()',
    'const chance = Math.random()',
    'const id = crypto.randomUUID()',
    'if (process.platform) {}',
    "const reply = await fetch('https://example.com')",
    'const start = performance.now()',
    'setTimeout(() => {}, 1)',
    'const text = `${process.pid}`',
    "import { readFileSync } from 'node:fs'",
    "import { request } from 'undici'",
    "const x = await import('zod')",
  ])('catches %j', (text) => {
    for (const path of ['src/pricing/price.ts', 'src/reports/spend.ts', 'src/time.ts']) {
      expect(purity(planted({ [path]: text }))).not.toEqual([])
    }
    expect(purity(planted({ 'src/gateway/handle.ts': text }))).toEqual([])
  })

  it('lets a pure room name these things without touching them, and tokens load rank data lazily', () => {
    const text = [
      '/** Never calls Date.now() or fetch(). */',
      "export const word = 'process' // setTimeout(1)",
      'const date = new Date(at)',
      'export type Step = { readonly process: string }',
      'const pattern = /performance\\.now/',
      'const said = `fetch(${word})`',
      'const taken = call.process',
    ].join('\n')
    expect(purity(planted({ 'src/pricing/price.ts': text }))).toEqual([])
    const loader = "const ranks = await import('gpt-tokenizer/encoding/o200k_base')"
    expect(purity(planted({ 'src/tokens/text.ts': loader }))).toEqual([])
    expect(purity(planted({ 'src/usage/usage.ts': loader }))).toHaveLength(1)
  })
})

describe('the rules of the one clock and the one environment', () => {
  it.each(['const at = Date.now()', 'const at = new Date()', 'const zero = performance.timeOrigin'])(
    'catches %j outside of the clock',
    (text) => {
      expect(wallClock(planted({ 'src/gateway/handle.ts': text }))).toHaveLength(1)
      expect(wallClock(planted({ 'src/cli/clock.ts': text }))).toEqual([])
    },
  )

  it.each([
    'const key = process.env.OPENAI_API_KEY',
    "const key = process['env'].OPENAI_API_KEY",
    'const { env } = process',
    'const { argv, env: all } = process',
  ])('catches %j outside of io', (text) => {
    expect(environment(planted({ 'src/gateway/handle.ts': text }))).toHaveLength(1)
    expect(environment(planted({ 'src/cli/io.ts': text }))).toEqual([])
  })

  it('lets the gateway measure with the stopwatch', () => {
    expect(wallClock(planted({ 'src/gateway/handle.ts': 'const start = performance.now()' }))).toEqual([])
  })
})

describe('the rule of cycles', () => {
  it('catches a circle of three', () => {
    const circle = {
      'src/money/a.ts': `import { b } from './b.ts'`,
      'src/money/b.ts': `import { c } from './c.ts'`,
      'src/money/c.ts': `export { a } from './a.ts'`,
    }
    expect(importCycles(planted(circle))).toEqual([
      {
        path: 'src/money/a.ts',
        message: 'imports itself: src/money/a.ts > src/money/b.ts > src/money/c.ts > src/money/a.ts',
      },
    ])
  })

  it('lets types go round, and what is loaded later', () => {
    for (const back of [`import type { A } from './a.ts'`, `const a = () => import('./a.ts')`]) {
      const files = { 'src/money/a.ts': `import { b } from './b.ts'`, 'src/money/b.ts': back }
      expect(importCycles(planted(files))).toEqual([])
    }
  })

  it('lets two files import a third', () => {
    const diamond = {
      'src/money/a.ts': `import { b } from './b.ts'\nimport { c } from './c.ts'`,
      'src/money/b.ts': `import { c } from './c.ts'`,
      'src/money/c.ts': '',
    }
    expect(importCycles(planted(diamond))).toEqual([])
  })
})

describe("the rule of the sandbox's own books", () => {
  it.each([
    ['directly', { 'src/sandbox/books.ts': `import { price } from '../pricing/price.ts'` }],
    ['by its type', { 'src/sandbox/books.ts': `import type { Charge } from '../pricing/price.ts'` }],
    [
      'by way of another room',
      {
        'src/sandbox/books.ts': `import { x } from '../ledger/entry.ts'`,
        'src/ledger/entry.ts': `import { read } from '../usage/read.ts'`,
      },
    ],
    ['lazily', { 'src/sandbox/replies.ts': `await import('../endpoints/chat-completions.ts')` }],
  ])('catches what is reached %s', (_, files) => {
    expect(sandboxIndependence(planted(files))).toHaveLength(1)
  })

  it('lets it read raw price rows', () => {
    const files = {
      'src/sandbox/books.ts': `import type { PriceRow } from '../pricing/price-book.ts'`,
      'src/pricing/price-book.ts': `import type { Meter } from '../usage/meter.ts'`,
    }
    expect(sandboxIndependence(planted(files))).toEqual([])
  })
})

describe('the rules of form', () => {
  it('catches a file over 400 lines without a reason', () => {
    const long = 'x\n'.repeat(401)
    expect(fileLength(planted({ 'src/money/a.ts': long }))).toHaveLength(1)
    expect(fileLength(planted({ 'src/money/a.ts': `// Long because: one table.\n${long}` }))).toEqual([])
    expect(fileLength(planted({ 'src/money/a.ts': 'x\n'.repeat(400) }))).toEqual([])
  })

  it('catches an import without the ending of its file', () => {
    expect(importEndings(planted({ 'src/a.ts': `import { b } from './b'` }))).toHaveLength(1)
    expect(importEndings(planted({ 'test/a.ts': `import { b } from './b.js'` }))).toHaveLength(1)
    expect(importEndings(planted({ 'src/a.ts': `import { b } from './b.ts'\nimport 'zod'` }))).toEqual([])
  })
})

describe('the rule of error pages', () => {
  const codes = { bad_json: { status: 400, exit: 2 } }
  const row = '| `bad_json` | 400 | 2 | Mend the text. |'

  it.each([
    ['a missing code', ''],
    ['a code that is none', `${row}\n| \`worse_json\` | 400 | 2 | Mend it. |`],
    ['a code explained twice', `${row}\n${row}`],
    ['another status', '| `bad_json` | 500 | 2 | Mend the text. |'],
    ['another exit', '| `bad_json` | 400 | 1 | Mend the text. |'],
  ])('catches %s', (_, text) => {
    expect(errorDocs(codes, text, 'docs/errors.md')).toHaveLength(1)
  })

  it('passes a page that agrees', () => {
    expect(errorDocs(codes, row, 'docs/errors.md')).toEqual([])
  })
})

describe('the rule of meters in the glossary', () => {
  it.each([
    ['a missing meter', ''],
    ['a meter that is none', '| `image` | one image |\n| `imgae` | one image |'],
    ['a meter explained twice', '| `image` | one image |\n| `image` | one image |'],
  ])('catches %s', (_, text) => {
    expect(meterDocs({ image: {} }, text, 'docs/glossary.md')).toHaveLength(1)
  })

  it('passes a page that agrees', () => {
    expect(meterDocs({ image: {} }, '| `image` | one image |', 'docs/glossary.md')).toEqual([])
  })
})
