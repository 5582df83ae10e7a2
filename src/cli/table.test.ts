import { describe, expect, it } from 'vitest'
import { formatTable } from './table.ts'

const columns = [{ title: 'team' }, { title: 'USD', align: 'right' }] as const

describe('a table for people', () => {
  it('sets numbers to the right, without borders and without trailing blanks', () => {
    const text = formatTable(
      columns,
      [
        ['search', '0.805'],
        ['support', '12.3'],
      ],
      { color: false },
    )
    expect(text).toBe(['team       USD', 'search   0.805', 'support   12.3', ''].join('\n'))
  })

  it('rules off the totals', () => {
    const text = formatTable(columns, [['search', '0.805']], { color: false, totals: [['all', '0.805']] })
    expect(text).toBe(['team      USD', 'search  0.805', '-------------', 'all     0.805', ''].join('\n'))
  })

  it('prints the header alone when there are no rows', () => {
    expect(formatTable(columns, [], { color: false })).toBe('team  USD\n')
  })

  it('makes the header bold only where color is wanted', () => {
    expect(formatTable(columns, [], { color: true })).toContain('\u001b[1m')
    expect(formatTable(columns, [], { color: false })).not.toContain('\u001b')
  })

  it('shows control characters of a cell instead of letting them drive the terminal', () => {
    const text = formatTable(columns, [['evil\u001b[2J\nteam', '1']], { color: false })
    expect(text).toContain('evil\uFFFD[2J\uFFFDteam')
  })
})
