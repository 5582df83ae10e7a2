import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OctroiError } from '../errors.ts'
import { parseInstant } from '../time.ts'
import { parsePlanRequest } from './plan-request.ts'

const now = parseInstant('2026-11-24')
const article = { model: 'gpt-4-1106-preview', system: 1000, user: 50, assistant: 200, turns: 20 }

describe('a plan from outside', () => {
  it('is filled up with what it leaves out', () => {
    expect(parsePlanRequest(article, now)).toEqual({
      provider: 'openai',
      model: 'gpt-4-1106-preview',
      at: now,
      system: 1000,
      user: 50,
      assistant: 200,
      turns: 20,
      priming: 0,
      keepTurns: null,
      capTokens: null,
      cache: 'none',
      imagesPerTurn: null,
      toolRounds: [],
      minutesBetween: 0,
      codeInterpreter: false,
      retrievalGigabytes: null,
      assistants: 1,
      days: 30,
      conversationsPerMonth: null,
      runBudget: null,
    })
    expect(parsePlanRequest({ ...article, at: '2023-11-15', keepTurns: 0 }, now)).toMatchObject({
      at: parseInstant('2023-11-15'),
      keepTurns: 0,
    })
  })

  it.each([
    [{ ...article, turns: -1 }, 'turns is -1. It must be a whole number from 0 to 10000.'],
    [{ ...article, turns: 0 }, 'turns is 0. A conversation has at least one.'],
    [{ ...article, turns: 10_001 }, 'turns is 10001. It must be a whole number from 0 to 10000.'],
    [{ ...article, user: 1.5 }, 'user is 1.5. It must be a whole number from 0 to 10000000.'],
    [{ ...article, user: '50' }, 'user is "50". It must be a whole number from 0 to 10000000.'],
    [{ ...article, user: Number.NaN }, 'user is null. It must be a whole number'],
    [{ ...article, assistant: undefined }, 'A plan needs assistant, a whole number.'],
    [{ ...article, model: '' }, 'model is "". Give the model by name, such as "gpt-4o".'],
    [{ ...article, model: undefined }, 'model is missing. Give the model by name, such as "gpt-4o".'],
    [{ ...article, at: '2023-02-30' }, '"2023-02-30" is not an instant.'],
    [{ ...article, at: 7 }, 'at is 7. Write it as "2026-11-24".'],
    [{ ...article, keep: 2 }, 'A plan has no field "keep". It has provider, model, at, system,'],
    [{ ...article, capTokens: 900 }, 'a turn without any history has 1050 tokens. Raise capTokens.'],
    [{ ...article, cache: true }, 'cache is true. It is one of none, auto, 5m, 1h.'],
    [{ ...article, codeInterpreter: 'yes' }, 'codeInterpreter is "yes". It is true or false.'],
    [{ ...article, imagesPerTurn: 85 }, 'imagesPerTurn.tokens is missing'],
    [{ ...article, toolRounds: [{ call: 5 }] }, 'toolRounds.result is missing'],
    [{ ...article, runBudget: {} }, 'runBudget.promptTokens is missing'],
    [{ ...article, retrievalGigabytes: 1e-9 }, 'retrievalGigabytes is 1e-9'],
    [
      { ...article, capTokens: 1390, toolRounds: { rounds: 1, call: 40, result: 301 } },
      'a turn without any history has 1391 tokens.',
    ],
    [[article], 'A plan must be an object such as'],
    [null, 'A plan must be an object such as'],
  ])('%j is refused by name', (value, message) => {
    expect(() => parsePlanRequest(value, now)).toThrow(message)
  })

  it('is read or refused with a code, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.anything(), fc.record({ turns: fc.anything(), model: fc.anything() })),
        (any) => {
          try {
            parsePlanRequest(any, now)
          } catch (error) {
            expect(error).toBeInstanceOf(OctroiError)
          }
        },
      ),
    )
  })
})
