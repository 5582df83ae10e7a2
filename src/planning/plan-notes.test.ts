import { describe, expect, it } from 'vitest'
import { findModel, openModelFacts } from '../pricing/model-facts.ts'
import { openPriceBook } from '../pricing/price-book.ts'
import { plan } from './conversation.ts'
import { planNotes } from './plan-notes.ts'
import { parsePlanRequest } from './plan-request.ts'

const facts = openModelFacts([
  {
    schema: 'octroi-models/1',
    provider: 'acme',
    models: [
      {
        model: 'm',
        contextWindow: 8192,
        outputTokensMax: 1000,
        source: 'made for this test',
        asOf: '2023-11-15',
        confidence: 'high',
      },
    ],
  },
])
const fact = findModel(facts, { provider: 'acme', model: 'm' })
const planned = (fields: object) =>
  plan(
    parsePlanRequest({ provider: 'acme', model: 'm', user: 500, assistant: 500, turns: 10, ...fields }, 0),
    openPriceBook([]),
  )

describe('the notes of a plan', () => {
  it('are none where every turn fits, and where the model is not known', () => {
    expect(planNotes(planned({ turns: 8 }), fact)).toEqual([])
    expect(planNotes(planned({}), null)).toEqual([])
  })

  it('name the first turn that does not fit, and the cap that makes it fit', () => {
    // Turn 9 sends 500 + 8 x 1,000 tokens, and 500 more come back: 9,000 in a window of 8,192.
    expect(planNotes(planned({}), fact)).toEqual([
      'From turn 9 on, 8500 tokens and the answer do not fit into the window of m (8192 tokens). Plan with capTokens 7692, or keep fewer turns.',
    ])
    expect(planNotes(planned({ capTokens: 7692 }), fact)).toEqual([])
  })

  it('name an answer that is longer than the model gives', () => {
    expect(planNotes(planned({ assistant: 1500, turns: 1 }), fact)).toEqual([
      'm answers with at most 1000 tokens, not 1500.',
    ])
    expect(planNotes(planned({ assistant: 9000, turns: 1 }), fact)[1]).toBe(
      'From turn 1 on, 500 tokens and the answer do not fit into the window of m (8192 tokens).',
    )
  })
})
