import { describe, expect, it } from 'vitest'
import { readPage, readScenarios, readWires, wiresPage, withScenarios } from '../scripts/generate-wires.ts'
import { bundledBook } from '../src/cli/bundled.ts'
import { eventsOf, parseScenario, readCase, readerOf, showCost, showReply } from './support/scenario.ts'

const texts = readScenarios()
const book = await bundledBook()

describe.each([...texts])('scenario %s', (_name, text) => {
  const scenario = parseScenario(text)
  const reader = readerOf(scenario)

  describe.each(scenario.cases.map((each) => [each.label || 'the call', each] as const))(
    '%s',
    (_label, call) => {
      const replies = [...readCase(reader, call)]

      it('reads what the vendor says', () => {
        expect(replies).not.toEqual([])
        for (const [section, reply] of replies) {
          expect({ [section]: showReply(reply) }).toEqual({ [section]: call.sections.get('usage') })
        }
      })

      it('costs what it costs, whole and streamed', () => {
        for (const [section, reply] of replies) {
          const cost = showCost(scenario, call, reply, book)
          expect({ [section]: cost }).toEqual({ [section]: call.sections.get('cost') })
        }
      })

      const stream = call.sections.get('stream')
      if (stream === undefined) return

      const events = eventsOf(stream)
      const broken = call.sections.get('usage')?.includes('not ended\n') ?? false

      it('ends with its last event and no other, whichever line ends it uses', () => {
        const meter = reader.meterStream?.()
        const ended = events.map((event) => meter?.event(event.replaceAll('\n', '\r\n')))
        expect(ended).toEqual(events.map((_, index) => !broken && index === events.length - 1))
      })

      it('breaks off anywhere, and is then not whole or already known', () => {
        for (const [index] of events.entries()) {
          const part = new Map([...call.sections, ['stream', events.slice(0, index).join('')]])
          const reply = readCase(reader, { ...call, sections: part }).get('stream')
          if (reply?.ended) expect(showReply(reply)).toBe(call.sections.get('usage'))
        }
      })
    },
  )
})

describe('the table of wires', () => {
  const wires = readWires()

  it('has every row of the survey once', () => {
    expect(wires.rows.filter(({ added }) => !added)).toHaveLength(71)
    expect(new Set(wires.rows.map(({ id }) => id)).size).toBe(wires.rows.length)
  })

  it('covers each row by a scenario, or says which later issue does and why', () => {
    const unclear = wires.rows.filter(({ id, later, why }) => {
      const waits = later !== undefined && later >= 4 && later <= 8 && why !== undefined
      return texts.has(id) === waits
    })
    expect(unclear).toEqual([])
  })

  it('has a row for every scenario, which says what call it is and where its usage is', () => {
    const ids = wires.rows.map(({ id }) => id)
    expect([...texts.keys()].filter((name) => !ids.includes(name))).toEqual([])
    expect(wires.rows.filter(({ call, usage }) => call === '' || usage === '')).toEqual([])
  })

  it('takes the row of a scenario that is in no survey from its head', () => {
    const text = 'provider: acme\nendpoint: chat-completions\ncall: POST /chat\nusage at: body $.used\n'
    const { rows } = withScenarios({ source: '', rows: [] }, new Map([['acme.chat', text]]))
    expect(rows).toEqual([
      { id: 'acme.chat', call: 'POST /chat', mode: '', usage: 'body $.used', added: true },
    ])
  })

  it('is the page of the docs', () => {
    expect(readPage()).toBe(wiresPage(wires, texts))
  })
})
