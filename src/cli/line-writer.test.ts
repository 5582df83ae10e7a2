import { describe, expect, it } from 'vitest'
import { lineWriter } from './line-writer.ts'

const idle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const writer = () => {
  const pieces: string[] = []
  let room = Promise.resolve()
  let make: () => void = () => {}
  const lines = lineWriter({
    out: (text) => {
      pieces.push(text)
    },
    drained: () => room,
  })
  return {
    ...lines,
    pieces,
    fill: () => {
      room = new Promise((resolve) => {
        make = resolve
      })
    },
    drain: () => make(),
  }
}

describe('a writer of lines', () => {
  it('writes a line as soon as no other is at hand', async () => {
    const { write, pieces } = writer()
    await write('one\n')
    expect(pieces).toEqual([])
    await idle()
    expect(pieces).toEqual(['one\n'])
    await write('two\n')
    await idle()
    expect(pieces).toEqual(['one\n', 'two\n'])
  })

  it('writes lines that come together in one piece', async () => {
    const { write, pieces } = writer()
    for (const line of ['one\n', 'two\n', 'three\n']) await write(line)
    await idle()
    expect(pieces).toEqual(['one\ntwo\nthree\n'])
  })

  it('holds no more than a piece, and then waits for room', async () => {
    const { write, pieces, fill, drain } = writer()
    fill()
    let written = 0
    const all = (async () => {
      for (let line = 0; line < 4; line++) {
        await write(`${'x'.repeat(40_000)}\n`)
        written += 1
      }
    })()
    await idle()
    expect({ written, pieces: pieces.length }).toEqual({ written: 1, pieces: 1 })
    drain()
    await all
    await idle()
    expect(pieces.join('')).toHaveLength(160_004)
  })

  it('writes what it still holds when told to, once', async () => {
    const { write, flush, pieces } = writer()
    await write('last\n')
    flush()
    flush()
    await idle()
    expect(pieces).toEqual(['last\n'])
  })
})
