import { describe, expect, it } from 'vitest'
import { bundledBook, bundledModels } from '../cli/bundled.ts'
import { formatPicos } from '../money/money.ts'
import { openModelFacts } from '../pricing/model-facts.ts'
import { plan } from './conversation.ts'
import { parsePlanRequest } from './plan-request.ts'

const [book, facts] = [await bundledBook(), openModelFacts(await bundledModels())]
const levers = (fields: object, known: typeof facts | null = facts) =>
  plan(
    parsePlanRequest({ system: 2000, user: 100, assistant: 300, turns: 10, ...fields }, 0),
    book,
    known,
  ).levers.map(({ lever, to, cost, saved }) => [lever, to, formatPicos(cost), formatPicos(saved)])

describe('the levers of a plan', () => {
  it('stand in the order of the money they save', () => {
    // 39,000 tokens in at 4 and 3,000 out at 20 USD a million are 0.216; the batch tier is half of it.
    expect(levers({ model: 'gpt-5.6-sol', at: '2026-10-15' })).toEqual([
      ['model', 'gpt-5-nano', '0.00315', '0.21285'],
      ['cache', 'auto', '0.10182', '0.11418'],
      ['batch', 'batch', '0.108', '0.108'],
      ['cap', '2', '0.1712', '0.0448'],
    ])
  })

  it('leave out a cap that costs more than it saves, since it breaks the cache', () => {
    expect(levers({ model: 'gpt-5.6-sol', at: '2026-10-15', cache: 'auto' }, null)).toEqual([
      ['batch', 'batch', '0.05091', '0.05091'],
    ])
  })

  it('propose only models that were served then and whose window holds the plan', () => {
    const article = { model: 'gpt-4-1106-preview', at: '2023-11-15', system: 1000, user: 50, assistant: 200 }
    expect(levers({ ...article, turns: 20 }).map(([lever, to]) => [lever, to])).toEqual([
      ['model', 'gpt-3.5-turbo-1106'],
      ['cap', '5'],
    ])
    // Turn 60 sends 15,800 tokens and 200 come back: the window of gpt-3.5-turbo-1106 holds 16,385.
    expect(levers({ ...article, turns: 70 }).map(([lever]) => lever)).toEqual(['cap'])
  })

  it('are none without prices', () => {
    expect(levers({ model: 'gpt-99', at: '2026-10-15' })).toEqual([])
  })
})
