import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseInstant } from '../../time.ts'
import { readLines, type SpooledVerb, writeLines } from './spool-lines.ts'

const at = parseInstant('2023-11-15T12:00:00Z')

const reserve = (id: string, tags: Record<string, string> = {}, most: bigint | null = 5n): SpooledVerb => ({
  verb: 'reserve',
  entry: {
    call: {
      ...{ id, at, provider: 'openai', model: 'gpt-4-0613', endpoint: 'chat-completions', key: 'key_1' },
      ...{ organization: null, team: 'search', project: null, environment: null, endUser: null },
      ...{ conversation: null, tags },
    },
    currency: 'USD',
    most,
    holds: [{ limit: 'all', windowStart: at, amount: 12_345_678_901_234_567_890n }],
    leaseUntil: at + 60_000,
  },
})

const release: SpooledVerb = { verb: 'release', entry: { callId: 'call_1', at, reason: 'never sent' } }

describe('lines of the spool', () => {
  it('read as they were written, in their order', () => {
    const verbs = [reserve('call_1'), release]
    expect(readLines(writeLines(verbs))).toEqual({ verbs, torn: 0 })
  })

  it('keep any text and any whole number apart', () => {
    const verbs = [reserve('=5', { '=6': '=7', a: '==8', b: '9' }, -3n)]
    expect(readLines(writeLines(verbs)).verbs).toEqual(verbs)
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string({ unit: 'binary' })), fc.bigInt(), (tags, most) => {
        const verbs = [reserve('call_1', tags, most)]
        const text = Buffer.from(writeLines(verbs)).toString('utf8')
        expect(readLines(text)).toEqual({ verbs, torn: 0 })
      }),
    )
  })

  it('wherever one is torn, those before it and behind it are read', () => {
    const [first, second, third] = [reserve('call_1'), reserve('call_2', { team: 'é\n' }), release]
    const bytes = Buffer.from(writeLines([second]))
    for (let length = 2; length < bytes.length - 1; length += 1) {
      const torn = bytes.subarray(0, length).toString('utf8')
      expect(readLines(writeLines([first]) + torn + writeLines([third]))).toEqual({
        verbs: [first, third],
        torn: 1,
      })
    }
  })

  it('do not read a line of which a single character has changed', () => {
    const line = writeLines([reserve('call_1')])
    for (let place = 1; place < line.length - 1; place += 7) {
      const changed = line.slice(0, place) + (line[place] === 'x' ? 'y' : 'x') + line.slice(place + 1)
      expect(readLines(changed)).toEqual({ verbs: [], torn: 1 })
    }
  })
})
