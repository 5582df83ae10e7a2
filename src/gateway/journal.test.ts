import { toFile } from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { startWorld, type TestWorld } from '../../test/support/world.ts'

let world: TestWorld
afterEach(async () => {
  await world.close()
})

/** What was written of calls, and what the vendor had billed by then. */
type Written = { readonly verb: string; readonly billed: string }

const open = async (journal: 'before-send' | 'before-reply' | undefined, gateway: object = {}) => {
  const written: Written[] = []
  world = await startWorld({
    config: { ...(journal !== undefined && { journal }) },
    sandbox: { outputTokens: 20 },
    gateway: { controlPort: 0, ...gateway },
    database: (opened) => ({
      ...opened,
      call: (store, verb, argument) => {
        if (verb === 'reserve' || verb === 'settle') {
          written.push({ verb, billed: world.sandbox.total().amount })
        }
        return opened.call(store, verb, argument)
      },
    }),
  })
  return written
}

const chat = async () => {
  const client = await world.client('search')
  const messages = [{ role: 'user' as const, content: 'Hello there' }]
  return client.chat.completions.create({ model: 'gpt-4-1106-preview', messages })
}

const ready = async (): Promise<unknown> => (await fetch(`${world.gateway.controlUrl}/readyz`)).json()

describe('the journal', () => {
  it('has a reservation before anything is sent, unless it is told otherwise', async () => {
    const written = await open(undefined)
    await chat()
    expect(written).toEqual([
      { verb: 'reserve', billed: '0' },
      { verb: 'settle', billed: '0.00069' },
    ])
    expect(await ready()).toMatchObject({ status: 'ready', journal: 'before-send' })
  })

  it('has both before the reply where that is chosen, and says so', async () => {
    const written = await open('before-reply')
    await chat()
    expect(written).toEqual([
      { verb: 'reserve', billed: '0.00069' },
      { verb: 'settle', billed: '0.00069' },
    ])
    expect(await ready()).toMatchObject({ status: 'ready', journal: 'before-reply' })
  })

  it('has a job before the reply that names it, whatever is chosen', async () => {
    const rhythm = { firstMs: 600_000, longestMs: 600_000, times: 10 }
    const written = await open('before-reply', { rhythms: { job: rhythm } })
    const client = await world.client('search')
    const text =
      '{"messages":[{"role":"user","content":"Hello"},{"role":"assistant","content":"Hi"}]}\n'.repeat(10)
    const file = await toFile(Buffer.from(text), 'examples.jsonl')
    const { id } = await client.files.create({ file, purpose: 'fine-tune' })
    await client.fineTuning.jobs.create({ model: 'gpt-3.5-turbo', training_file: id })
    expect(written.map(({ verb }) => verb)).toEqual(['reserve'])
  })
})
