import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { openTextFile } from './text-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'octroi-text-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it.each([
  ['nothing', []],
  ['some pieces', ['a\n', '', 'é\n', '€\n', '😀\n']],
  ['a piece that is longer than what is held at once', ['x'.repeat(1_000_000), '\n']],
  ['pairs of surrogates at every place, odd and even', ['😀'.repeat(100_000), `x${'😀'.repeat(100_000)}`]],
])('writes %s as UTF-8', (_, pieces) => {
  const path = join(folder, 'file')
  const file = openTextFile(path)
  for (const piece of pieces) file.write(piece)
  file.close()
  expect(readFileSync(path).equals(Buffer.from(pieces.join(''), 'utf8'))).toBe(true)
})

it('fails where there is no such folder', () => {
  expect(() => openTextFile(join(folder, 'none', 'file'))).toThrow('ENOENT')
})
