import { describe, expect, it } from 'vitest'
import { nearNames } from './near-names.ts'

describe('names near a word', () => {
  it.each([
    ['serach', ['search', 'ads', 'lab'], ['search']],
    ['gtp-4o', ['gpt-4o', 'gpt-4o-mini', 'gpt-4'], ['gpt-4o', 'gpt-4']],
    ['Search', ['search'], ['search']],
    ['ad', ['ads', 'add', 'a', 'bd'], ['a', 'add', 'ads']],
    ['lab', ['search'], []],
    ['x', [], []],
  ])('of %s among %j are %j', (word, names, near) => {
    expect(nearNames(word, names)).toEqual(near)
  })
})
