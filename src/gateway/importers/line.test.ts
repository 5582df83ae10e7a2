import fc from 'fast-check'
import { expect, it } from 'vitest'
import { format } from '../../money/rational.ts'
import { amountOf, readAmount } from './line.ts'
import { createSeen } from './seen.ts'

const shown = (text: string, shift?: number): string | null => {
  const amount = readAmount(text, shift)
  return amount === null ? null : format(amountOf(amount))
}

it('reads amounts digit by digit', () => {
  expect(shown('1.05e-5')).toBe('0.0000105')
  expect(shown('1.7100000000000002e-05')).toBe('0.000017100000000000002')
  expect(shown('-12.50')).toBe('-12.5')
  expect(shown('.5')).toBe('0.5')
  expect(shown('2E3')).toBe('2000')
  expect(shown('123.78912', -2)).toBe('1.2378912')
})

it.each([
  '',
  '.',
  '1,5',
  'NaN',
  '1e',
  '0x10',
  '1e-400',
  '1e999',
  '1 000',
  '1.0000000000000000000000000000001',
])('reads no amount in "%s"', (text) => {
  expect(readAmount(text)).toBeNull()
})

it('reads what a float writes as the decimal it writes', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-9, max: 1e9, noNaN: true }), (value) => {
      const read = readAmount(String(value))
      // A float of 17 digits below 10^-9 would need more than 30 decimals.
      expect(read).not.toBeNull()
      expect(Number(format(amountOf(read ?? 0n)))).toBe(value)
    }),
  )
})

it('tells texts that are new from those it has seen', () => {
  const seen = createSeen()
  const texts = Array.from({ length: 200_000 }, (_, index) => `chatcmpl-${index}`)
  expect(texts.every(seen)).toBe(true)
  expect(texts.some(seen)).toBe(false)
})
