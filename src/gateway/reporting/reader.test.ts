import { expect, it } from 'vitest'
import type { Database } from '../../ledger/database.ts'
import { createReader } from './reader.ts'

const database = (closed: () => void): Database => ({
  call: () => Promise.reject(new Error('nothing is read')),
  close: async () => closed(),
})

/** A reading that goes on until it is let go. */
const held = () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { promise, resolve }
}

it('reads two at once, sixteen wait, and the next is refused', async () => {
  let [opened, closed, running, runningMost] = [0, 0, 0, 0]
  const reader = createReader(async () => {
    opened += 1
    return database(() => {
      closed += 1
    })
  })
  expect(opened).toBe(0)
  const gate = held()
  const all = Array.from({ length: 18 }, (_, index) =>
    reader.read(async () => {
      running += 1
      runningMost = Math.max(runningMost, running)
      await gate.promise
      running -= 1
      return index
    }),
  )
  await expect(reader.read(async () => 0)).rejects.toMatchObject({ code: 'overloaded' })
  gate.resolve()
  expect(await Promise.all(all)).toEqual(Array.from({ length: 18 }, (_, index) => index))
  expect([opened, runningMost, closed]).toEqual([1, 2, 0])
  await reader.close()
  expect(closed).toBe(1)
})

it('opens again what could not be opened, and gives the turn back', async () => {
  let opened = 0
  const reader = createReader(async () => {
    opened += 1
    if (opened <= 3) throw new Error('not yet')
    return database(() => {})
  })
  for (let time = 0; time < 3; time += 1) {
    await expect(reader.read(async () => time)).rejects.toThrow('not yet')
  }
  expect(await reader.read(async () => 'read')).toBe('read')
  await reader.close()
})

it('closes after what is being read, and takes no more', async () => {
  const said: string[] = []
  const reader = createReader(async () => database(() => said.push('closed')))
  const [begun, gate] = [held(), held()]
  const reading = reader.read(async () => {
    begun.resolve()
    await gate.promise
    said.push('read')
  })
  await begun.promise
  const closing = reader.close()
  await expect(reader.read(async () => 0)).rejects.toMatchObject({ code: 'overloaded' })
  gate.resolve()
  await Promise.all([reading, closing])
  expect(said).toEqual(['read', 'closed'])
})
