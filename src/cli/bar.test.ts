import { describe, expect, it } from 'vitest'
import { barText, withBar } from './bar.ts'

const megabyte = (letter: string): Uint8Array => new TextEncoder().encode(letter.repeat(1_048_576))

async function* chunks(): AsyncGenerator<Uint8Array> {
  for (const letter of 'abcd') yield megabyte(letter)
}

/** Reads all chunks; each takes so long, in milliseconds. */
const readAll = async (milliseconds: number, stopAfter = 4) => {
  const shown: string[] = []
  let [time, count] = [0, 0]
  const options = { size: 4_194_304, show: (text: string) => shown.push(text), now: () => time }
  for await (const chunk of withBar(chunks(), options)) {
    expect(chunk).toHaveLength(1_048_576)
    count += 1
    time += milliseconds
    if (count === stopAfter) break
  }
  return { shown, count }
}

describe('the bar of long work', () => {
  it('shows how much has been read, and how long the rest takes', async () => {
    expect(await readAll(600)).toEqual({
      count: 4,
      shown: [
        '[=======>                      ]  25 %, 2 s left',
        '[===============>              ]  50 %, 2 s left',
        '[======================>       ]  75 %, 1 s left',
        '',
      ],
    })
  })

  it('shows nothing of short work', async () => {
    expect(await readAll(10)).toEqual({ count: 4, shown: [''] })
  })

  it('is drawn ten times a second at most', async () => {
    const { shown } = await readAll(300)
    expect(shown).toHaveLength(3)
    expect((await readAll(60)).shown).toEqual([''])
  })

  it('is gone when its reader stops', async () => {
    expect((await readAll(600, 2)).shown.at(-1)).toBe('')
  })

  it('is full at the end, also of a file that grew or is empty', () => {
    expect(barText({ read: 10, size: 10, passedMs: 1000 })).toBe(
      '[==============================] 100 %, 0 s left',
    )
    expect(barText({ read: 20, size: 10, passedMs: 1000 })).toBe(
      '[==============================] 100 %, 0 s left',
    )
    expect(barText({ read: 0, size: 0, passedMs: 1000 })).toBe(
      '[==============================] 100 %, 0 s left',
    )
  })
})
