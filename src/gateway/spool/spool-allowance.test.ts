import { describe, expect, it } from 'vitest'
import type { Key } from '../registry/keys.ts'
import { spoolAllowance } from './spool-allowance.ts'

const key = { onLedgerFailure: { spool: '5.5' } } as Key

describe('what of a key may wait for the ledger', () => {
  it('is its amount, and nothing where it has none or there is no key', () => {
    expect(spoolAllowance(key, {}, {})).toBe(5_500_000_000_000n)
    expect(spoolAllowance({ ...key, onLedgerFailure: 'refuse' }, {}, {})).toBe(null)
    expect(spoolAllowance(null, {}, {})).toBe(null)
  })

  it('is nothing for a call that makes an object at the vendor, or adds to one', () => {
    const conversation = {
      kind: 'conversation',
      id: 'c',
      parent: null,
      model: null,
      tokensMost: 9,
      tools: false,
    } as const
    expect(spoolAllowance(key, { learn: () => [] }, {})).toBe(null)
    expect(spoolAllowance(key, {}, { conversation })).toBe(null)
  })
})
