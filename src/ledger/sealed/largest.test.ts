import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { withDuck } from './duck.ts'
import { rankGroups } from './largest.ts'
import { withSpill } from './spill.ts'

const row = fc.record({
  name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', null),
  currency: fc.constantFrom('EUR', 'USD'),
  amount: fc.integer({ min: -3, max: 5 }),
})

const text = (value: string | null): string => (value === null ? 'NULL' : `'${value}'`)

it('finds the largest groups of each currency in as many goes as they need', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 9 }),
      (made, top, groupsAtOnce) =>
        withDuck({}, async (duck) => {
          const values = made.map(({ name, currency, amount }) => `(${text(name)}, '${currency}', ${amount})`)
          const rows = `SELECT name_0::VARCHAR AS name_0, currency, amount::DECIMAL(38,12) AS amount
            FROM (VALUES ${values.join(', ')}) t(name_0, currency, amount)`
          const counts = await rankGroups(duck, {
            by: ['endUser'],
            rows,
            top,
            groupsAtOnce,
            rowsMost: made.length,
            onPart: () => {},
          })
          const found = await duck.rows('SELECT name_0, currency FROM largest')
          for (const currency of ['EUR', 'USD']) {
            const groups = Map.groupBy(
              made.filter((each) => each.currency === currency),
              ({ name }) => name,
            )
            const ranked = [...groups]
              .map(([name, some]) => ({ name, amount: some.reduce((sum, { amount }) => sum + amount, 0) }))
              .sort(
                (a, b) => b.amount - a.amount || (JSON.stringify(a.name) < JSON.stringify(b.name) ? -1 : 1),
              )
            expect(counts.get(currency) ?? 0).toBe(ranked.length)
            const names = found.filter((each) => each['currency'] === currency).map((each) => each['name_0'])
            expect(new Set(names)).toEqual(new Set(ranked.slice(0, top).map(({ name }) => name)))
          }
        }),
    ),
    { numRuns: 15 },
  )
}, 60_000)

it('spills into a folder that goes, with what a process that was killed has left', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'octroi-spill-'))
  try {
    // No process has this id: it is beyond what Linux gives.
    await mkdir(join(folder, '.spill-by-4194305-abcdef'))
    await withSpill(folder, async (spill) => {
      expect(await readdir(folder)).toEqual([spill.slice(folder.length + 1)])
      await withSpill(folder, async () => {
        expect(await readdir(folder)).toHaveLength(2)
      })
      expect(existsSync(spill)).toBe(true)
    })
    expect(await readdir(folder)).toEqual([])
    expect(await withSpill(join(folder, 'none'), async (spill) => spill)).toBe('')
  } finally {
    await rm(folder, { recursive: true })
  }
})
