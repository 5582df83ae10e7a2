import { describe, expect, it } from 'vitest'
import { incidentsPage, readIncidents, readIncidentsPage, replay } from '../scripts/incidents.ts'
import { bundledBook } from '../src/cli/bundled.ts'
import { formatPicos } from '../src/money/money.ts'
import { parseDecimal } from '../src/money/rational.ts'

const book = await bundledBook()
const { incidents, withoutUsage } = readIncidents()

describe('the incidents of others, replayed', () => {
  it('are about twenty, each of its own place', () => {
    expect(incidents.length).toBeGreaterThanOrEqual(20)
    const places = [...incidents, ...withoutUsage].map(({ source }) => source)
    expect(new Set(places).size).toBe(places.length)
  })

  it.each(incidents.map((incident) => [incident.source, incident] as const))('%s', (_source, incident) => {
    const { exact, cost } = replay(incident, book)
    expect(cost.unpriced).toEqual([])
    expect(exact).toBe(incident.exact)
    expect(formatPicos(cost.pricedTotal)).toBe(incident.exact)
    expect(parseDecimal(incident.said)).not.toEqual(parseDecimal(exact))
  })

  it('stand on a page that is fresh', () => {
    expect(readIncidentsPage()).toBe(incidentsPage(readIncidents(), book))
  })
})
