import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { OctroiError } from '../../errors.ts'
import { type Channel, createChannel } from './channel.ts'

type Verbs = {
  readonly double: (number: bigint) => bigint
  readonly refuse: (limit: string) => never
  readonly note: (text: string) => void
  readonly hang: (none: null) => Promise<never>
}

/** Two ends in one process; messages cross as between processes. */
const twoEnds = (asksMax = 10) => {
  const noted: string[] = []
  const faults: unknown[] = []
  const sent: unknown[] = []
  const theirs: Verbs = {
    double: (number) => number * 2n,
    refuse: (limit) => {
      throw new OctroiError('budget_exceeded', 'Budget quota exceeded.', { limit, cap: '1' })
    },
    note: (text) => {
      noted.push(text)
    },
    hang: () => new Promise(() => {}),
  }
  const report = (error: unknown) => faults.push(error)
  const there: Channel<Record<string, never>> = createChannel({
    send: (message) => here.hear(structuredClone(message)),
    ...{ verbs: theirs, report },
  })
  const here: Channel<Verbs> = createChannel({
    send: (message) => {
      sent.push(message)
      there.hear(structuredClone(message))
    },
    ...{ verbs: {}, report, asksMax },
  })
  return { here, noted, faults, sent }
}

describe('a channel between two processes', () => {
  it('carries whole numbers of any size, and all that one turn asks in one message', async () => {
    const { here, sent } = twoEnds()
    const asked = [1n, 2n, 10n ** 30n].map((number) => here.ask('double', number))
    expect(await Promise.all(asked)).toEqual([2n, 4n, 2n * 10n ** 30n])
    expect(sent.length).toBe(1)
  })

  it('carries errors of Octroi with their code, message and details', async () => {
    const { here } = twoEnds()
    const refused = here.ask('refuse', 'month')
    await expect(refused).rejects.toMatchObject({
      code: 'budget_exceeded',
      message: 'Budget quota exceeded.',
      details: { limit: 'month', cap: '1' },
    })
  })

  it('keeps the order of what is told and asked', async () => {
    const { here, noted } = twoEnds()
    here.tell('note', 'first')
    await here.ask('note', 'second')
    here.tell('note', 'third')
    await here.ask('double', 1n)
    expect(noted).toEqual(['first', 'second', 'third'])
  })

  it('hears an answer before what was sent after it', async () => {
    const { here } = twoEnds()
    const heard: string[] = []
    const both = [
      here.ask('double', 1n, () => heard.push('one')),
      here.ask('double', 2n, () => heard.push('two')),
    ]
    await Promise.all(both)
    expect(heard).toEqual(['one', 'two'])
  })

  it('refuses the eleventh question where ten may wait', async () => {
    const { here } = twoEnds(10)
    const hanging = Array.from({ length: 10 }, () => here.ask('hang', null))
    await expect(here.ask('double', 1n)).rejects.toMatchObject({ code: 'overloaded' })
    here.close()
    const ends = await Promise.allSettled(hanging)
    expect(ends.every(({ status }) => status === 'rejected')).toBe(true)
  })

  it('leaves aside what is not of it', async () => {
    const { here, faults } = twoEnds()
    for (const message of [null, 'ready', { listen: true }]) here.hear(message)
    await turn()
    expect(faults).toEqual([])
  })
})
