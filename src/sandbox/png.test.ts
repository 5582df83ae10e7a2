import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testPng } from './png.fixture.ts'
import { drawPng, readPng } from './png.ts'

describe('a PNG', () => {
  it('that is drawn is read back with its size, whatever it is', async () => {
    const side = fc.integer({ min: 1, max: 300 })
    await fc.assert(
      fc.asyncProperty(side, side, fc.string(), async (width, height, seed) => {
        expect(await readPng(await drawPng({ width, height }, seed))).toEqual({ width, height, mode: 'P' })
      }),
      { numRuns: 30 },
    )
  })

  it('is read with its mode', async () => {
    expect(await readPng(testPng({ side: 8 }))).toEqual({ width: 8, height: 8, mode: 'RGBA' })
    expect(await readPng(testPng({ side: 8, type: 2 }))).toEqual({ width: 8, height: 8, mode: 'RGB' })
  })

  it('with any byte of its parts changed is none', async () => {
    const whole = testPng({ side: 8 })
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length - 1 }), async (at) => {
        const broken = Buffer.from(whole)
        broken[at] = (broken[at] ?? 0) ^ 0x40
        expect(await readPng(broken)).toBeNull()
      }),
    )
  })

  it('that would unpack to more than its head says, or to more than 64 MiB, is none', async () => {
    expect(await readPng(testPng({ side: 64, says: 8 }))).toBeNull()
    expect(await readPng(testPng({ side: 8, says: 60_000 }))).toBeNull()
    expect(await readPng(Buffer.alloc(0))).toBeNull()
  })
})
