import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { exampleLine } from '../../test/conformance/imports.ts'
import { exampleSettlement } from '../../test/conformance/ledger.ts'
import { parseInstant } from '../time.ts'
import { openSqlite } from './databases/sqlite.ts'
import { ledgerStore, openLedger, verify } from './ledger.ts'

const folder = mkdtempSync(join(tmpdir(), 'octroi-kill-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A process that reserves, settles and imports without pause, and notes in a file what was acknowledged: a file takes
 * every note at once, whereas a pipe that nobody reads in time refuses. */
const writer = `
  import { openSync, writeSync } from 'node:fs'
  const [file, run, notes] = process.argv.slice(1)
  const out = openSync(notes, 'a')
  const from = (path) => import(new URL(path, '${import.meta.url}'))
  const { openSqlite } = await from('./databases/sqlite.ts')
  const { ledgerStore, openLedger } = await from('./ledger.ts')
  const ledger = openLedger(await openSqlite({ file, stores: [ledgerStore] }))
  const example = JSON.parse(process.env.EXAMPLE, (key, value) =>
    ['amount', 'numerator', 'denominator'].includes(key) ? BigInt(value) : value)
  const at = example.settlement.at
  const one = async (id) => {
    const call = { ...example.call, id }
    const holds = [{ limit: 'budget', windowStart: 0, amount: 60n }]
    await ledger.reserve({ call, currency: 'USD', most: 60n, holds, leaseUntil: at + 60_000 })
    writeSync(out, 'reserved ' + id + '\\n')
    await ledger.settle({ ...example.settlement, callId: id })
    writeSync(out, 'settled ' + id + '\\n')
  }
  const client = async (number) => {
    for (let call = 0; ; call++) await one([run, number, call].join('-'))
  }
  const importer = async () => {
    for (let step = 0; ; step++) {
      const id = [run, 'import', step].join('-')
      await ledger.imports.post([0, 1, 2].map((line) => ({ ...example.line, lineId: id + '-' + line })))
      writeSync(out, 'imported ' + id + '\\n')
    }
  }
  for (let number = 0; number < 20; number++) client(number)
  importer()
`

const call = {
  at: parseInstant('2023-11-15T12:00:00Z'),
  ...{ provider: 'openai', model: 'gpt-4', endpoint: 'chat-completions', key: null, organization: null },
  ...{ team: 'search', project: null, environment: null, endUser: null, conversation: null, tags: {} },
}

/** Runs the writer, kills it with no warning after some acknowledgements, and gives what it acknowledged. */
const runAndKill = async (file: string, run: number): Promise<readonly string[]> => {
  const example = JSON.stringify(
    { call, settlement: exampleSettlement(''), line: exampleLine('') },
    (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value),
  )
  const notes = join(folder, `notes-${run}`)
  writeFileSync(notes, '')
  const child = spawn(process.execPath, ['--input-type=module', '--eval', writer, file, `${run}`, notes], {
    env: { ...process.env, EXAMPLE: example },
    stdio: 'inherit',
  })
  const watch = setInterval(() => {
    if (statSync(notes).size > 10_000 * run) child.kill('SIGKILL')
  }, 2)
  await once(child, 'close')
  clearInterval(watch)
  expect(child.signalCode).toBe('SIGKILL')
  return readFileSync(notes, 'utf8').split('\n').slice(0, -1)
}

it('loses nothing that was acknowledged when its process is killed under load, five times', async () => {
  const file = join(folder, 'ledger.sqlite')
  const [reserved, settled, imported] = [new Set<string>(), new Set<string>(), new Set<string>()]
  const noted = { reserved, settled, imported }
  for (let run = 1; run <= 5; run++) {
    for (const line of await runAndKill(file, run)) {
      const [what, id = ''] = line.split(' ')
      noted[what as keyof typeof noted].add(id)
    }
    const database = await openSqlite({ file, stores: [ledgerStore] })
    const ledger = openLedger(database)
    expect(await verify(database)).toMatchObject({ agrees: true, differences: [] })

    const again = await Promise.all([...settled].map((id) => ledger.settle(exampleSettlement(id))))
    expect(new Set(again)).toEqual(new Set(['repeated']))
    const others = [...reserved].filter((id) => !settled.has(id))
    const ends = await Promise.all(
      others.map(async (id) => (await ledger.unended(id)) !== null || ledger.settle(exampleSettlement(id))),
    )
    for (const end of ends) expect([true, 'repeated']).toContain(end)

    const lines = [...imported].flatMap((id) => [0, 1, 2].map((line) => exampleLine(`${id}-${line}`)))
    expect(await ledger.imports.post(lines)).toEqual({ written: 0, repeated: lines.length, replaced: 0 })

    await ledger.expire(parseInstant('2023-11-16'))
    const [balance] = await ledger.balances()
    const { calls } = await verify(database)
    expect(balance?.held).toBe(0n)
    expect((balance?.settled ?? 0n) / 25n + (balance?.unresolved ?? 0n) / 60n).toBe(BigInt(calls))
    await ledger.close()
  }
  expect(settled.size).toBeGreaterThan(100)
  expect(imported.size).toBeGreaterThan(20)
}, 60_000)
