import fc from 'fast-check'
import { expect, it } from 'vitest'
import { largestThatFits } from './clamp.ts'
import { admissionOf, askFor, holdsOf } from './limits.fixture.ts'

it('an output limit is lowered to what all limits have room for', () => {
  const at = Date.parse('2023-11-15')
  const admission = admissionOf(
    { name: 'cost', measure: 'cost', cap: '0.0000000005', window: { calendar: 'month' }, action: 'clamp' },
    { name: 'rate', measure: 'output_tokens', cap: '300', window: { bucket: '1m' }, action: 'clamp' },
  )
  holdsOf(admission, askFor(40, at))
  const fits = (tokens: number) => admission.look(askFor(tokens, at)) === null
  expect(largestThatFits({ floor: 16, asked: 4_096 }, fits)).toBe(260)
  expect(largestThatFits({ floor: 16, asked: 200 }, fits)).toBe(200)
  expect(largestThatFits({ floor: 261, asked: 4_096 }, fits)).toBeNull()
  expect(largestThatFits({ floor: 20, asked: 10 }, fits)).toBeNull()
})

it('the largest that fits is found in as many questions as the range has doublings', () => {
  const whole = fc.integer({ min: 0, max: 1_000_000 })
  fc.assert(
    fc.property(whole, whole, whole, (floor, asked, room) => {
      let questions = 0
      const found = largestThatFits({ floor, asked }, (tokens) => {
        questions += 1
        return tokens <= room
      })
      expect(found).toBe(floor > asked || floor > room ? null : Math.min(asked, room))
      expect(questions).toBeLessThanOrEqual(22)
    }),
  )
})
