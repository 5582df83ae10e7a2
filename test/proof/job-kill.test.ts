import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI, { toFile } from 'openai'
import { expect, it } from 'vitest'
import { bundledPrices } from '../../src/cli/bundled.ts'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { manualClock, parseInstant } from '../../src/time.ts'
import { readEntries } from './entries.ts'
import { startGatewayProcess } from './gateway-process.ts'

/** 15 tokens each: 3 of each message, 1 of its role, 3 and 1 of its text, 3 of the reply. */
const examples = Array.from({ length: 10 }, (_, at) =>
  JSON.stringify({
    messages: [
      { role: 'user', content: `Hello ${at}` },
      { role: 'assistant', content: 'Hi' },
    ],
  }),
).join('\n')

it('a fine-tuning job whose gateway is killed without warning is settled once, at what the vendor billed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'octroi-job-kill-'))
  const clock = manualClock(parseInstant('2023-11-15T12:00:00Z'))
  const prices = await bundledPrices()
  const sandbox = await createSandbox({ profile: '2023-11', clock, prices, seed: 7, jobMs: 4_000 })
  const first = await startGatewayProcess(folder, sandbox.baseUrl, '2023-11-15T12:00:00Z')
  const client = new OpenAI({ apiKey: first.secret ?? '', baseURL: `${first.url}/v1`, maxRetries: 0 })
  const file = await toFile(Buffer.from(examples), 'examples.jsonl')
  const training_file = (await client.files.create({ file, purpose: 'fine-tune' })).id
  const job = await client.fineTuning.jobs.create({
    model: 'gpt-3.5-turbo',
    training_file,
    hyperparameters: { n_epochs: 3 },
  })
  await first.kill()
  expect(sandbox.calls()).toEqual([])

  // Killed again while the job goes on: the first question comes half a second after the start.
  const second = await startGatewayProcess(folder, sandbox.baseUrl, '2023-11-15T15:00:00Z')
  expect(second.verification.differences).toEqual([])
  expect(second.limits[0]?.held).toBeGreaterThan(0n)
  await second.kill()

  const third = await startGatewayProcess(folder, sandbox.baseUrl, '2023-11-15T18:00:00Z')
  // 150 tokens x 3 epochs x 0.008 / 1,000.
  await expect
    .poll(async () => (await third.limitsNow())[0], { timeout: 15_000, interval: 100 })
    .toMatchObject({ held: 0n, unresolved: 0n, settled: 3_600_000_000n })
  await third.close()
  const [billed] = sandbox.calls()
  const settlements = readEntries(folder).filter(({ kind }) => kind === 'settled')
  expect(settlements).toMatchObject([
    {
      model: 'gpt-3.5-turbo-0613',
      basis: 'measured',
      charges: [{ quantity: billed?.usage.training_tokens }],
    },
  ])
  expect(third.faults).toEqual([])

  const last = await startGatewayProcess(folder, sandbox.baseUrl, '2023-11-15T18:00:00Z')
  const again = new OpenAI({ apiKey: first.secret ?? '', baseURL: `${last.url}/v1`, maxRetries: 0 })
  expect((await again.fineTuning.jobs.retrieve(job.id)).status).toBe('succeeded')
  await last.close()
  expect(readEntries(folder).filter(({ kind }) => kind === 'settled')).toHaveLength(1)
  await sandbox.close()
  await rm(folder, { recursive: true })
}, 60_000)
