import { describe, expect, it } from 'vitest'
import { belowAll } from './io.ts'

const terminal = (shared: boolean) => {
  let [out, err] = ['', '']
  const writers = belowAll({
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
    shared,
  })
  return { ...writers, seen: () => ({ out, err }) }
}

const erase = '\r\x1b[K'

describe('a line below all others', () => {
  it('is drawn over the one before, and taken away', () => {
    const { bar, seen } = terminal(false)
    bar('10 %')
    bar('20 %')
    bar('')
    bar('')
    expect(seen()).toEqual({ out: '', err: `${erase}10 %${erase}20 %${erase}` })
  })

  it('makes room for an error', () => {
    const { bar, err, seen } = terminal(false)
    bar('10 %')
    err('octroi: line 3: bad\n')
    err('octroi: line 4: bad\n')
    expect(seen().err).toBe(`${erase}10 %${erase}octroi: line 3: bad\noctroi: line 4: bad\n`)
  })

  it('makes room for what is printed on the same terminal, and for nothing else', () => {
    const same = terminal(true)
    same.bar('10 %')
    same.out('{}\n')
    expect(same.seen()).toEqual({ out: '{}\n', err: `${erase}10 %${erase}` })
    const other = terminal(false)
    other.bar('10 %')
    other.out('{}\n')
    expect(other.seen()).toEqual({ out: '{}\n', err: `${erase}10 %` })
  })
})
