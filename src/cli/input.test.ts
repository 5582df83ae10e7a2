import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, describe, expect, it } from 'vitest'
import { openInput } from './input.ts'

const folder = mkdtempSync(join(tmpdir(), 'octroi-input-'))
const file = join(folder, 'items.jsonl')
writeFileSync(file, '{"a":1}\n')
afterAll(() => rmSync(folder, { recursive: true }))

const textOf = async (input: AsyncIterable<Uint8Array | string>): Promise<string> => {
  let text = ''
  for await (const chunk of input) text += chunk.toString()
  return text
}

describe('the input', () => {
  it('is a file, or standard input where none is named', async () => {
    const stdin = Readable.from(['from a pipe'])
    expect(await textOf(await openInput(file, { stdin }))).toBe('{"a":1}\n')
    expect(await textOf(await openInput('-', { stdin }))).toBe('from a pipe')
  })

  it('takes its bar away when a file has been read', async () => {
    const shown: string[] = []
    const bar = (text: string) => {
      shown.push(text)
    }
    expect(await textOf(await openInput(file, { stdin: Readable.from([]), bar }))).toBe('{"a":1}\n')
    expect(shown).toEqual([''])
  })

  it('that is no file is refused, with what to do', async () => {
    const stdin = Readable.from([])
    await expect(openInput(join(folder, 'none'), { stdin })).rejects.toThrow('Name a file, or -')
    await expect(openInput(folder, { stdin })).rejects.toThrow('it is a folder. Name a file.')
  })
})
