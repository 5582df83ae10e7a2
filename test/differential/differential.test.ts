import { describe, expect, it } from 'vitest'
import { differencesPage, readDifferencesPage } from '../../scripts/differences.ts'
import { bundledBook } from '../../src/cli/bundled.ts'
import { parseDecimal } from '../../src/money/rational.ts'
import { compareCells, type PeerCell } from './cell.ts'
import { comparePeers, differenceText, foundDifferences, readKnownDifferences } from './known-differences.ts'

const peers = await comparePeers()
const known = readKnownDifferences()

describe('the price book against two public price databases', () => {
  it('differs in the cells that are listed, and in no other', () => {
    const listed = known.flatMap(({ peer, cells }) => cells.map((cell) => differenceText(peer, cell)))
    expect(foundDifferences(peers)).toEqual(listed.sort())
  })

  it.each([
    ['genai-prices 0.1.8', 1400],
    ['LiteLLM 2026-07-24', 700],
  ])('has at least nine in ten cells in common with %s', (peer, compared) => {
    const cells = peers.get(peer)?.compared ?? []
    expect(cells.length).toBeGreaterThan(compared)
    expect(cells.filter(({ equal }) => equal).length / cells.length).toBeGreaterThan(0.9)
  })

  it('says of every difference who is right, and why', () => {
    for (const { right, why, cells } of known) {
      expect(['ours', 'theirs', 'open']).toContain(right)
      expect(why.length).toBeGreaterThan(40)
      expect(cells.length).toBeGreaterThan(0)
    }
  })

  it('has its differences on a page that is fresh', () => {
    expect(readDifferencesPage()).toBe(differencesPage(known))
  })
})

describe('a comparison', async () => {
  const book = await bundledBook()
  const cell: PeerCell = {
    peer: 'a peer',
    provider: 'openai',
    model: 'gpt-4.1',
    meters: ['input_text_tokens'],
    tier: 'standard',
    inputTokens: 1,
    at: '2026-09-23T12:00:00Z',
    rate: parseDecimal('0.000002'),
  }

  it('is exact to the last digit', () => {
    expect(compareCells([cell], book).compared).toMatchObject([
      { equal: true, ours: '2 per 1M', theirs: '2 per 1M' },
    ])
    const near = { ...cell, rate: parseDecimal('0.000002000000000000000001') }
    expect(compareCells([near], book).compared).toMatchObject([
      { equal: false, ours: '2 per 1M', theirs: '2.000000000000000001 per 1M' },
    ])
  })

  it('counts what only the peer has', () => {
    const other = { ...cell, model: 'no-such-model' }
    expect(compareCells([other], book)).toMatchObject({
      compared: [],
      onlyTheirs: ['openai / no-such-model / input_text_tokens / 2026-09-23T12:00:00Z'],
    })
  })

  it('takes a model that has ended by then in the last second of its life', () => {
    const ended = { ...cell, model: 'gpt-4-32k', rate: parseDecimal('0.00006') }
    const [compared] = compareCells([ended], book).compared
    expect(compared?.equal).toBe(true)
    expect(compared?.cell).toMatch(/T23:59:59Z$/)
  })

  it('takes the long card above a threshold, and the tier that the cell is of', () => {
    const long = { ...cell, model: 'gpt-5.5', inputTokens: 272_001, rate: parseDecimal('0.00001') }
    const fast = { ...cell, model: 'gpt-5.5', tier: 'priority', rate: parseDecimal('0.0000125') }
    expect(compareCells([long, fast], book).compared).toMatchObject([
      { equal: true, ours: '10 per 1M' },
      { equal: true, ours: '12.5 per 1M' },
    ])
  })
})
