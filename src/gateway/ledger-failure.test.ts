import { APIError } from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { readEntries } from '../../test/proof/entries.ts'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { OctroiError } from '../errors.ts'
import type { Database } from '../ledger/database.ts'

let world: TestWorld
afterEach(() => world.close())

const hello = { model: 'gpt-4-1106-preview', messages: [{ role: 'user' as const, content: 'Hello there' }] }

/** A database that can be made to fail at a verb as a full or read-only disk does. */
const failing = () => {
  const at = new Map<string, string>()
  return {
    at,
    database: (opened: Database): Database => ({
      ...opened,
      call: (store, verb, argument) => {
        const cause = at.get(verb)
        if (cause === undefined) return opened.call(store, verb, argument)
        return Promise.reject(
          new OctroiError('ledger_unavailable', `The ledger cannot be used: ${cause}`, { cause }),
        )
      },
    }),
  }
}

const limits = [{ name: 'all', measure: 'cost', cap: '10', window: { calendar: 'month', timeZone: 'UTC' } }]

describe('when the ledger cannot be written', () => {
  it.each(['SQLITE_FULL', 'SQLITE_READONLY', 'SQLITE_IOERR'])(
    'a call is refused before a byte of it is sent, and holds nothing (%s)',
    async (cause) => {
      const { at, database } = failing()
      world = await startWorld({ database, config: { limits } })
      const client = await world.client('search')
      at.set('reserve', cause)
      const error = await client.chat.completions.create(hello).catch((thrown: unknown) => thrown)
      if (!(error instanceof APIError)) throw new Error('expected an API error')
      expect([error.status, error.headers?.get('x-should-retry')]).toEqual([503, 'false'])
      expect(error.error).toMatchObject({ octroi: { code: 'ledger_unavailable', cause } })
      expect(world.sandbox.calls()).toEqual([])
      expect(world.gateway.limits()[0]).toMatchObject({ held: 0n, settled: 0n })
      at.clear()
      await client.chat.completions.create(hello)
      expect(world.till).toHaveLength(1)
    },
  )

  it('at the end of a call that was sent, its settlement waits for the ledger and is exact', async () => {
    const { at, database } = failing()
    world = await startWorld({ database, config: { limits } })
    const client = await world.client('search')
    at.set('settle', 'SQLITE_FULL')
    await client.chat.completions.create(hello)
    const cost = world.till[0]?.cost
    expect(world.till[0]?.spooled).toBe('memory')
    expect(world.gateway.limits()[0]).toMatchObject({ held: 0n, settled: cost, unresolved: 0n })
    world.clock.advance(61_000)
    await world.gateway.sweep()
    at.clear()
    await world.gateway.sweep()
    expect(readEntries(world.folder).map(({ kind }) => kind)).toEqual(['reserved', 'settled'])
    expect(world.gateway.limits()[0]).toMatchObject({ held: 0n, settled: cost, unresolved: 0n })
  })
})
