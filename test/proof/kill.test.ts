import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundledPrices } from '../../src/cli/bundled.ts'
import type { StoredEntry } from '../../src/ledger/entry.ts'
import { isOfCall } from '../../src/ledger/reading.ts'
import { readRunNote } from '../../src/reports/run-note.ts'
import type { BilledCall } from '../../src/sandbox/books.ts'
import { createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { formatInstant, manualClock, parseInstant } from '../../src/time.ts'
import { costOf, countConflicts, readEntries, type Standing, standings } from './entries.ts'
import { type GatewayProcess, startGatewayProcess } from './gateway-process.ts'
import { type RestlessLoad, type Sleeper, startRestlessLoad } from './restless-load.ts'
import { beta, longForm, seeded, until } from './work.ts'

const kills = longForm ? 200 : 20
const start = parseInstant('2023-11-15T12:00:00Z')
/** So far on the clock stands each time, in all less than the ten minutes of a lease. */
const stepMs = longForm ? 2_500 : 10_000
const nothing: Standing = { settled: 0n, held: 0n, unresolved: 0n }

/** What was found when a gateway had come up again, before it was given new work. */
type Found = {
  readonly agrees: boolean
  readonly differences: readonly unknown[]
  /** What the gateway counts, and what the entries come to. */
  readonly counted: Standing
  readonly folded: Standing
  /** Calls that were open when the process died. */
  readonly open: number
  /** Acknowledged to a client, and not settled: there must be none. */
  readonly lost: readonly string[]
}

let folder: string
let sandbox: Sandbox
let load: RestlessLoad
const found: Found[] = []
const faults: string[] = []
/** Runs begun just before a kill with a credential that no gateway keeps: asked after while their lease holds, after it
 * has passed, and never. */
const sleepers: Sleeper[] = []
/** Such runs with the gateway's credential, which no client ever asks after. */
const orphans: Sleeper[] = []
/** The ledger at the end, and what is known of each attempt. */
let entries: readonly StoredEntry[]
let calls: ReadonlyMap<string, BilledCall>
let limitAtEnd: Standing
let heldBeforeExpiry: bigint
let conflicts: number

/** The whole story is lived once; every test below reads what it left behind. */
beforeAll(
  async () => {
    folder = await mkdtemp(join(tmpdir(), 'octroi-proof-'))
    const clock = manualClock(start)
    sandbox = await createSandbox({
      profile: '2023-11',
      clock,
      prices: await bundledPrices(),
      seed: 'kill',
      latencyMs: 5,
      runMs: 20,
    })
    load = startRestlessLoad(12, 'kill')
    const random = seeded('kill')
    let key = ''

    const begin = async (at: number): Promise<GatewayProcess> => {
      const gateway = await startGatewayProcess(folder, sandbox.baseUrl, formatInstant(at))
      key = gateway.secret ?? key
      found.push(look(gateway))
      load.up({ url: gateway.url, key })
      return gateway
    }

    for (let kill = 0; kill < kills; kill += 1) {
      const gateway = await begin(start + kill * stepMs)
      await sleep(random.whole({ least: 50, most: 500 }))
      if (kill % 3 === 0) sleepers.push(await load.sleeper('own'))
      if (kill % 3 === 1) orphans.push(await load.sleeper('of the gateway'))
      load.down()
      await gateway.kill()
      faults.push(...gateway.faults)
    }

    // The last gateway of these times lets the clients come to an end. One sleeper's lease still holds.
    const last = await begin(start + kills * stepMs)
    await load.wake(sleepers.at(-1) ?? never())
    await until(() => kinds.every((kind) => acknowledgedOf(kind).length > 10))
    await load.stop()
    await until(() => endsNow(orphans).every((kind) => kind === 'settled'))
    heldBeforeExpiry = (await last.limitsNow())[0]?.held ?? 0n
    await last.close()
    faults.push(...last.faults)

    // Ten minutes later every lease has passed but those of runs that are asked after. One sleeper is woken, the others
    // never are.
    const late = await begin(start + kills * stepMs + 600_000)
    limitAtEnd = await standingWhenNothingIsHeld(late)
    await load.wake(sleepers[0] ?? never())
    await late.close()
    faults.push(...late.faults)

    entries = readEntries(folder)
    conflicts = countConflicts(folder)
    calls = await callsByAttempt()
  },
  longForm ? 1_500_000 : 150_000,
)

afterAll(async () => {
  await sandbox.close()
  await rm(folder, { recursive: true })
})

const look = (gateway: GatewayProcess): Found => {
  const all = readEntries(folder)
  const ends = endsOf(all)
  const { agrees, differences } = gateway.verification
  return {
    agrees,
    differences,
    counted: standingOf(gateway),
    folded: standings(all, 'all').at(-1) ?? nothing,
    open: [...ends.values()].filter(({ last }) => last.kind === 'reserved').length,
    lost: load.attempts
      .filter(({ name, acknowledged }) => acknowledged && ends.get(name)?.settled === undefined)
      .map(({ name }) => name),
  }
}

const kinds = ['whole', 'stream', 'run'] as const

const acknowledgedOf = (kind: (typeof kinds)[number]) =>
  load.attempts.filter((attempt) => attempt.acknowledged && attempt.kind === kind)

/** How the ledger has the calls of runs that were left. */
const endsNow = (left: readonly Sleeper[]): readonly (StoredEntry['kind'] | undefined)[] => {
  const ends = endsOf(readEntries(folder))
  return left.map(({ attempt }) => ends.get(attempt.name)?.last.kind)
}

const standingOf = ({ limits: [limit] }: Pick<GatewayProcess, 'limits'>): Standing => {
  const { settled, held, unresolved } = limit ?? nothing
  return { settled, held, unresolved }
}

/** Where the limit stands when the runs that are still asked after have been settled, or after 20 seconds. */
const standingWhenNothingIsHeld = async (gateway: GatewayProcess): Promise<Standing> => {
  for (let looks = 0; looks < 200; looks += 1) {
    const standing = standingOf({ limits: await gateway.limitsNow() })
    if (standing.held === 0n) return standing
    await sleep(100)
  }
  return standingOf({ limits: await gateway.limitsNow() })
}

type Reserved = StoredEntry & { readonly kind: 'reserved' }
type Settled = StoredEntry & { readonly kind: 'settled' | 'adjusted' }

/** What the ledger has of each attempt, by its name. */
type End = { readonly reserved: Reserved; readonly last: StoredEntry; readonly settled: Settled | undefined }

const endsOf = (all: readonly StoredEntry[]): ReadonlyMap<string, End> => {
  const reserved = new Map(
    all.flatMap((entry) => (entry.kind === 'reserved' ? [[entry.call.id, entry]] : [])),
  )
  const ends = new Map<string, End>()
  for (const entry of all) {
    if (!isOfCall(entry)) continue
    const begun = entry.kind === 'reserved' ? entry : reserved.get(entry.callId)
    if (begun === undefined) throw new Error(`Entry ${entry.sequence} ends a call that was not reserved.`)
    const name = begun.call.tags['attempt'] ?? never()
    const settled = 'charges' in entry ? entry : ends.get(name)?.settled
    if (entry.kind === 'reserved' && ends.has(name)) throw new Error(`${name} was reserved twice.`)
    ends.set(name, { reserved: begun, last: entry, settled })
  }
  return ends
}

/** What the vendor billed, by the attempt's name: the `user` of a chat, the metadata of a run, of which the
 * vendor itself is asked. */
const callsByAttempt = async (): Promise<ReadonlyMap<string, BilledCall>> => {
  const vendor = new OpenAI({ apiKey: 'sk-vendor', baseURL: sandbox.baseUrl })
  const names = new Map<string, string>()
  for (const thread of load.threads) {
    for await (const run of vendor.beta.threads.runs.list(thread, { limit: 100 }, { headers: beta })) {
      names.set(run.id, (run.metadata as { attempt: string }).attempt)
    }
  }
  const billed = new Map<string, BilledCall>()
  for (const call of sandbox.calls()) {
    const name = call.user ?? names.get(call.id) ?? never()
    if (billed.has(name)) throw new Error(`The vendor billed ${name} twice.`)
    billed.set(name, call)
  }
  return billed
}

const never = (): never => {
  throw new Error('This cannot be missing.')
}

describe(`a gateway that is killed under load ${kills} times`, () => {
  it('finds a ledger that agrees with itself each time', () => {
    expect(found.length).toBe(kills + 2)
    for (const { agrees, differences } of found)
      expect({ agrees, differences }).toEqual({ agrees: true, differences: [] })
  })

  it('counts again what the entries come to, each time', () => {
    for (const { counted, folded } of found) expect(counted).toEqual(folded)
    expect(found.filter(({ open }) => open > 0).length).toBeGreaterThan(kills / 2)
  })

  it('never told a client the end of a call that it had not settled', () => {
    expect(found.flatMap(({ lost }) => lost)).toEqual([])
    const ends = endsOf(entries)
    for (const kind of kinds) {
      const acknowledged = acknowledgedOf(kind)
      expect(acknowledged.filter(({ name }) => ends.get(name)?.settled === undefined)).toEqual([])
      expect(acknowledged.length).toBeGreaterThan(10)
    }
  })

  it('has every attempt that the vendor billed in its ledger: settled, or unresolved at no less than it cost', () => {
    const ends = endsOf(entries)
    for (const [name, call] of calls) {
      const end = ends.get(name)
      expect(end, name).toBeDefined()
      expect(['settled', 'adjusted', 'expired'], name).toContain(end?.last.kind)
      expect((end?.reserved.most ?? 0n) >= vendorCost(call), name).toBe(true)
    }
  })

  it('has settled every call for exactly what the vendor billed, and none that it did not bill', () => {
    for (const [name, { settled }] of endsOf(entries)) {
      if (settled === undefined) continue
      const call = calls.get(name)
      // What is not counted in time, while the thread that counts begins on a busy machine, says so: its truth is within
      // its interval.
      if (settled.note?.includes('texts at one token a byte') === true) {
        expect(settled.model).toBe(call?.model)
        for (const [meter, { low, high }] of readRunNote(settled.note).ranges) {
          expect(call?.usage[meter]).toBeGreaterThanOrEqual(low)
          expect(call?.usage[meter]).toBeLessThanOrEqual(high ?? Number.POSITIVE_INFINITY)
        }
        continue
      }
      const { input_text_tokens, output_text_tokens } = call?.usage ?? {}
      expect(settled.charges.map(({ meter, quantity }) => [meter, quantity])).toEqual([
        ['input_text_tokens', input_text_tokens],
        ['output_text_tokens', output_text_tokens],
      ])
      expect(settled.model).toBe(call?.model)
    }
  })

  it('holds nothing when all leases have passed; what has no end is counted at its most', () => {
    expect(heldBeforeExpiry > 0n).toBe(true)
    expect(limitAtEnd.held).toBe(0n)
    const ends = [...endsOf(entries).values()]
    expect(ends.filter(({ last }) => last.kind === 'reserved')).toEqual([])
    const unresolved = ends.flatMap(({ last, reserved }) =>
      last.kind === 'expired' ? [reserved.most ?? 0n] : [],
    )
    const settled = ends.flatMap(({ settled }) => (settled === undefined ? [] : [costOf(settled)]))
    expect(unresolved.length).toBeGreaterThan(0)
    expect(standings(entries, 'all').at(-1)).toEqual({
      settled: settled.reduce((sum, amount) => sum + amount, 0n),
      held: 0n,
      unresolved: unresolved.reduce((sum, amount) => sum + amount, 0n),
    })
  })

  it('settles a run that nobody asks after when a later gateway has the credential for it', () => {
    expect(orphans.length).toBeGreaterThan(2)
    expect(endsNow(orphans)).toEqual(orphans.map(() => 'settled'))
  })

  it('corrects an expired call when its run is asked after at last', () => {
    const kinds = endsNow(sleepers)
    expect(kinds[0]).toBe('adjusted')
    expect(kinds.at(-1)).toBe('settled')
    expect(kinds.slice(1, -1)).toEqual(kinds.slice(1, -1).map(() => 'expired'))
    expect(load.survivors()).toBeGreaterThan(0)
  })

  it('met no fault of its own', () => {
    expect(faults).toEqual([])
    expect(conflicts).toBe(0)
  })
})

/** Prices of November 2023, in 10^-12 USD a token: input and output. */
const prices: Readonly<Record<string, readonly [bigint, bigint]>> = {
  'gpt-4-1106-preview': [10_000_000n, 30_000_000n],
  'gpt-3.5-turbo-1106': [1_000_000n, 2_000_000n],
  'gpt-4-32k': [60_000_000n, 120_000_000n],
  'gpt-4-32k-0613': [60_000_000n, 120_000_000n],
}

const vendorCost = ({ model, usage }: BilledCall): bigint => {
  const [input, output] = prices[model ?? ''] ?? never()
  return BigInt(usage['input_text_tokens'] ?? 0) * input + BigInt(usage['output_text_tokens'] ?? 0) * output
}
