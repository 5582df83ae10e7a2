import { describe, expect, it } from 'vitest'
import { blank, importsOf } from './source.ts'

describe('the reader of sources', () => {
  it.each([
    ["a('x//y') // b", "a('    ')     "],
    ['a /* b\n c */ d', 'a     \n      d'],
    ['const a = `b ${c(`d`)} e` + f', 'const a = `  ${c(` `)}  ` + f'],
    ['const a = { b: `${{ c: 1 }}` } // d', 'const a = { b: `${{ c: 1 }}` }     '],
    ['const a = /[\'"`/]\\//g; b', 'const a = /        /g; b'],
    ['const a = b / c / d', 'const a = b / c / d'],
    ["const a = 'it\\'s' + b", "const a = '     ' + b"],
  ])('blanks the comments and strings of %j and nothing else', (text, blanked) => {
    expect(blank(text, { strings: true })).toBe(blanked)
  })

  it('keeps strings when asked to', () => {
    expect(blank("import 'a' // b", { strings: false })).toBe("import 'a'     ")
  })

  it('finds every form of import, and none in a comment or a string', () => {
    const text = [
      "import a, { type B, c } from './a.ts'",
      "import {\n  type D,\n  type E,\n} from './d.ts'",
      "import type { F } from './f.ts'",
      "import './g.ts'",
      "export * as h from './h.ts'",
      "export { i } from './i.ts'",
      "const j = await import('./j.ts')",
      "// import k from './k.ts'",
      'const l = "x; import m from \'./m.ts\'"',
      "export const n = 'o'",
      "const p = moduleUrl('./p.ts', import.meta.url)",
      "const q = new URL('./q.ts', import.meta.url)",
      "const r = new URL('./folder/', import.meta.url)",
    ].join('\n')
    const found = importsOf({ path: 'src/x.ts', text })
    expect(found.map(({ specifier }) => specifier)).toEqual([
      './a.ts',
      './d.ts',
      './f.ts',
      './g.ts',
      './h.ts',
      './i.ts',
      './j.ts',
      './p.ts',
      './q.ts',
    ])
    const types = found.filter(({ typeOnly }) => typeOnly)
    expect(types.map(({ specifier }) => specifier)).toEqual(['./d.ts', './f.ts'])
  })
})
