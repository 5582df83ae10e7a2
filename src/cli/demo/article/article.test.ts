import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { command } from '../../commands/demo.ts'
import { commandRunner } from '../../run-command.fixture.ts'
import { replayArticle } from './article.ts'
import { articleDays } from './cases.ts'

const run = commandRunner(command)

/** Every figure of the article, as the prices are tested by. */
const tariff = JSON.parse(
  await readFile(new URL('../../../../test/vectors/pricing/tariff-2023-11.json', import.meta.url), 'utf8'),
) as {
  readonly cases: readonly { readonly id: string; readonly usd: string }[]
  readonly promotions: readonly { readonly list_usd: string; readonly effective_usd: string }[]
}
const cases = articleDays.flatMap((day) => day.cases)

describe('the replay of the article', () => {
  it('has each of its 29 figures, and what was free at first', () => {
    const known = new Map(cases.map(({ id, usd }) => [id, usd]))
    expect(tariff.cases.map(({ id }) => [id, known.get(id)])).toEqual(
      tariff.cases.map(({ id, usd }) => [id, usd]),
    )
    expect(tariff.cases).toHaveLength(29)
    const promoted = cases.filter(({ listUsd }) => listUsd !== undefined)
    expect(promoted.map(({ usd, listUsd }) => [usd, listUsd])).toEqual(
      tariff.promotions.map(({ effective_usd, list_usd }) => [effective_usd, list_usd]),
    )
  })

  it('finds every figure in the ledger, and every limit where it was', { timeout: 60_000 }, async () => {
    const { exit, out, err } = await run(['demo', '--scenario', 'article-2023-11'])
    expect({ exit, err }).toEqual({ exit: 0, err: '' })
    for (const { statement } of cases) expect(out).toContain(`${statement} `)
    expect(out).toContain('By the ledger it is 15 times, and 5 times')
    expect(out.match(/no\. (21|101|7|51) .* 0$/gm)).toHaveLength(4)
  })

  it('tells a figure that is not the one of the ledger, and ends with 1', { timeout: 60_000 }, async () => {
    const written: string[] = []
    const io = {
      ...{ out: (text: string) => written.push(text), err: (text: string) => written.push(text) },
      ...{ stdin: process.stdin, color: false, environment: {}, signal: new AbortController().signal },
    }
    const said = { statement: 'an image said to cost 0.017', usd: '0.017' }
    const ask = { service: 'image', model: 'dall-e-2', size: '256x256' } as const
    const day = { at: '2023-11-15', title: 'a wrong figure', cases: [{ id: 'wrong', ...said, ask }] }
    expect(await replayArticle(io, [day])).toBe(1)
    expect(written.join('')).toMatch(/an image said to cost 0\.017 +0\.017 +0\.016 +-0\.001\n/)
    expect(written.at(-1)).toBe('\nTHERE ARE DIFFERENCES.\n')
  })
})

describe('a scenario', () => {
  it.each([
    [['--scenario', 'article-2024'], 'There is no scenario "article-2024". There is article-2023-11.'],
    [['--scenario', 'article-2023-11', '--fast'], 'leave out --fast'],
  ])('of %j is refused: %s', async (words, message) => {
    const { exit, err } = await run(['demo', ...words])
    expect(exit).toBe(2)
    expect(err).toContain(message)
  })
})
