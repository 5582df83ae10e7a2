import { expect, it } from 'vitest'
import { formatShare, shareOf } from './share.ts'

it('writes a share to a tenth of a percent', () => {
  expect(formatShare(shareOf(1n, 3n))).toBe('33.3%')
  expect(formatShare(shareOf(1n, 1n))).toBe('100.0%')
  expect(formatShare(shareOf(0n, 5n))).toBe('0.0%')
  expect(formatShare(shareOf(-1n, 3n))).toBe('-33.3%')
})

it('has no share of nothing', () => {
  expect(formatShare(shareOf(0n, 0n))).toBe('-')
})
