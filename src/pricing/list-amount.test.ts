import { describe, expect, it } from 'vitest'
import { format, rational } from '../money/rational.ts'
import { listAmount } from './list-amount.ts'
import type { Charge } from './price.ts'

const charge: Charge = {
  meter: 'code_interpreter_session',
  ...{ quantity: 2, unitPrice: '0', per: 1, exact: rational(0n), amount: 0n, price: 'p', source: 's' },
}

describe('what a charge would be at list price', () => {
  it('is what it is where there is no promotion', () => {
    expect(format(listAmount({ ...charge, exact: rational(3n, 50n) }))).toBe('0.06')
  })

  it('is the quantity at the list price where there is one: two sessions of 0.03', () => {
    expect(format(listAmount({ ...charge, list: { unitPrice: '0.03', per: 1, price: 'q' } }))).toBe('0.06')
  })

  it('has the multipliers of the charge: 0.06 and a tenth more', () => {
    const list = { unitPrice: '0.03', per: 1, price: 'q' }
    const multipliers = [{ name: 'regional_processing', factor: '1.1', price: 'm' }]
    expect(format(listAmount({ ...charge, list, multipliers }))).toBe('0.066')
  })
})
