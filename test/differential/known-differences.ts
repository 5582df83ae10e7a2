import { readFileSync } from 'node:fs'
import { bundledBook } from '../../src/cli/bundled.ts'
import { type Compared, type Comparison, compareCells } from './cell.ts'
import { genaiPricesCells } from './genai-prices.ts'
import { litellmCells } from './litellm.ts'

/** Differences that were looked into, one reason a group. `right`: who is, or `open` where nothing decides. */
export type KnownDifferences = readonly {
  readonly right: 'ours' | 'theirs' | 'open'
  readonly peer: string
  readonly why: string
  readonly cells: readonly Difference[]
}[]

/** A cell on which the two disagree, with the rates as both have them. */
export type Difference = Pick<Compared, 'cell' | 'ours' | 'theirs'>

/** The list, as kept beside this file. */
export const readKnownDifferences = (): KnownDifferences =>
  JSON.parse(readFileSync(new URL('known-differences.json', import.meta.url), 'utf8'))

/** Compares our book with each peer. */
export const comparePeers = async (): Promise<ReadonlyMap<string, Comparison>> => {
  const book = await bundledBook()
  return new Map(
    [genaiPricesCells(book), litellmCells()].map((cells) => [
      cells[0]?.peer ?? '',
      compareCells(cells, book),
    ]),
  )
}

/** One difference on a line, so that lists of them compare. */
export const differenceText = (peer: string, { cell, ours, theirs }: Difference): string =>
  `${peer}: ${cell}: ours ${ours}, theirs ${theirs}`

/** All differences there are, sorted. */
export const foundDifferences = (peers: ReadonlyMap<string, Comparison>): readonly string[] =>
  [...peers]
    .flatMap(([peer, { compared }]) =>
      compared.filter(({ equal }) => !equal).map((one) => differenceText(peer, one)),
    )
    .sort()
