import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundledPrices } from '../../src/cli/bundled.ts'
import { ledgerFile } from '../../src/gateway/data-folder.ts'
import type { Database } from '../../src/ledger/database.ts'
import { openSqlite } from '../../src/ledger/databases/sqlite.ts'
import type { StoredEntry } from '../../src/ledger/entry.ts'
import { ledgerStore } from '../../src/ledger/ledger.ts'
import { readSpend, type SpendRow } from '../../src/ledger/reading.ts'
import { formatPicos, parsePicos } from '../../src/money/money.ts'
import type { BilledCall } from '../../src/sandbox/books.ts'
import type { Fault } from '../../src/sandbox/faults.ts'
import { openVendorBooks } from '../../src/sandbox/now/books.ts'
import { conserved } from './conservation.ts'
import { costOf, readEntries } from './entries.ts'
import { type NowWorld, startNow } from './now-world.ts'
import { linesOfBooks, linesOfLedger } from './vendor-lines.ts'
import { type Sent, sendCall, type WireCall, wiresLoad } from './wires-load.ts'
import { doAll, longForm, seeded } from './work.ts'

/** Mixed calls over all wires of today, from several teams, while clients leave and, in the second part, while the
 * vendors break. */

const calls = longForm ? 100_000 : 2_000
const brokenCalls = longForm ? 20_000 : 600
const minutes = longForm ? 60 : 2
/** Those that a budget holds, and the one that sends what no budget could hold: its most is not known before. */
const teamNames = ['bound-search', 'bound-support', 'bound-research', 'bound-product'] as const
const freeTeam = 'labs'
const everything = { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER }

/** What a load left behind. */
type Done = {
  readonly world: NowWorld
  readonly ledger: Database
  readonly rows: readonly SpendRow[]
  readonly entries: readonly StoredEntry[]
  /** How each call ended for its client, and the team that it was sent by. */
  readonly sent: ReadonlyMap<string, Sent & { readonly team: string }>
}

/** Sends a load, waits until the gateway is done with what clients left behind, and expires what it let go of. */
const send = async (load: readonly WireCall[], before: (world: NowWorld, call: WireCall) => void) => {
  const match = { team: 'bound-*' }
  const limits = [{ name: 'all', measure: 'cost', cap: '1000000', window: { calendar: 'month' }, match }]
  const world = await startNow({
    limits,
    sandbox: { outputTokens: { least: 5, most: 40 } },
    gateway: { controlPort: 0 },
  })
  const accesses = new Map<string, Awaited<ReturnType<NowWorld['access']>>>()
  for (const team of [...teamNames, freeTeam]) accesses.set(team, await world.access(team))
  const sent = new Map<string, Sent & { readonly team: string }>()
  let done = 0
  const work = load.map((call) => async () => {
    const team = call.bounded ? seeded('team', call.name).pick(teamNames) : freeTeam
    const access = accesses.get(team)
    if (access === undefined) throw new Error('There is no such team.')
    before(world, call)
    for (const each of await sendCall(access, call)) sent.set(each.name, { ...each, team })
    done += 1
    if (longForm && done % 1_000 === 0) console.info(`${done} of ${load.length} calls sent`)
  })
  await doAll(work, 16)
  await idle(world)
  world.clock.advance(61_000)
  await world.gateway.sweep()
  const ledger = await openSqlite({ file: ledgerFile(world.folder), stores: [ledgerStore], readOnly: true })
  const rows = await readSpend(ledger, everything)
  return { world, ledger, rows, entries: readEntries(world.folder), sent } satisfies Done
}

const close = async ({ world, ledger }: Done): Promise<void> => {
  await ledger.close()
  await world.close()
}

/** Waits until no call is in flight, and none has come a moment later. */
const idle = async ({ gateway }: NowWorld): Promise<void> => {
  for (let quiet = 0; quiet < 3; ) {
    const reply = await fetch(`${gateway.controlUrl}/readyz`)
    const { callsInFlight } = (await reply.json()) as { callsInFlight: number }
    quiet = callsInFlight === 0 ? quiet + 1 : 0
    await sleep(100)
  }
}

const bound = (team: string | null): boolean => team?.startsWith('bound-') === true

/** What the ledger has for some teams. */
const spentBy = ({ rows }: Done, isMeant: (team: string | null) => boolean): bigint =>
  rows.reduce((total, row) => total + (row.meter === null || !isMeant(row.team) ? 0n : row.amount), 0n)

describe(`${calls} calls over all wires`, () => {
  let done: Done
  beforeAll(async () => {
    done = await send(wiresLoad(calls, { seed: 'mixed wires', atOnce: true }), () => {})
  }, minutes * 60_000)
  afterAll(() => close(done))

  it('are in the ledger as in the books of the vendors: by provider, model and meter, to the last unit', () => {
    const { world, rows } = done
    const booked = linesOfBooks(world.sandbox.books())
    expect(linesOfLedger(rows)).toEqual(booked)
    expect(booked.length).toBeGreaterThan(40)
    expect(world.sandbox.total()).toMatchObject({ unpriced: [] })
    expect(new Set(rows.map(({ basis }) => basis))).toEqual(new Set(['measured']))
  })

  it('came from clients of which many left: in the middle, or before the reply began', () => {
    const sent = [...done.sent.values()]
    expect(sent.filter(({ end }) => end === 'left').length).toBeGreaterThan(calls / 40)
    const stayed = sent.filter(({ end }) => end !== 'left')
    expect(stayed.filter(({ end, status }) => end !== 'whole' || status !== 200)).toEqual([])
  })

  it('are each billed to the team that sent it, once, or were never sent', () => {
    const { sent, entries, world } = done
    const reserved = entries.filter((entry) => entry.kind === 'reserved')
    const settled = new Set(entries.filter(({ kind }) => kind === 'settled').map(callOf))
    const names = reserved.map(({ call }) => call.tags['attempt'] ?? '')
    expect(new Set(names).size).toBe(names.length)
    for (const { call } of reserved) {
      const one = sent.get(call.tags['attempt'] ?? '')
      expect(call.team).toBe(one?.team)
      if (!settled.has(call.id)) expect(one).toMatchObject({ status: null, end: 'left' })
    }
    // Who was answered was billed, but for moderations, which are free.
    const known = new Set(names)
    const answered = [...sent.values()].filter(({ status }) => status === 200)
    expect(answered.filter(({ name }) => !known.has(name) && !name.startsWith('moderations'))).toEqual([])
    expect(world.faults).toEqual([])
  })

  it('leave nothing held, and the limit has counted what the vendors bill', () => {
    const [limit] = done.world.gateway.limits()
    expect(limit).toMatchObject({ settled: spentBy(done, bound), held: 0n, unresolved: 0n, over: 0n })
    expect(formatPicos(spentBy(done, () => true))).toBe(done.world.sandbox.total().amount)
  })

  it('add up to what the ledger kept, when every entry is folded anew', async () => {
    expect(await conserved(done.world)).toBe(spentBy(done, () => true))
  })
})

const callOf = (entry: StoredEntry): string =>
  'callId' in entry ? entry.callId : 'call' in entry ? entry.call.id : ''

/** What goes wrong in the second part. */
const faults = [
  { name: 'cut early', fault: { kind: 'cut', chunks: 1 } },
  { name: 'cut within an event', fault: { kind: 'cut', chunks: 3, inside: true } },
  { name: 'cut late', fault: { kind: 'cut', chunks: 12 } },
  { name: 'usage missing', fault: { kind: 'missing-usage' } },
  { name: 'usage twice', fault: { kind: 'usage-twice' } },
  { name: 'malformed', fault: { kind: 'malformed-event', chunks: 2 } },
  { name: 'reset unbilled', fault: { kind: 'reset-before-reply' } },
  { name: 'reset billed', fault: { kind: 'reset-before-reply', billed: true } },
  { name: 'refused', fault: { kind: 'status', status: 500 } },
  { name: 'html', fault: { kind: 'html' } },
] as const satisfies readonly { name: string; fault: Fault }[]
const faultOf = (random: ReturnType<typeof seeded>) => {
  const picked = faults[random.whole({ least: 0, most: faults.length - 1 })]
  if (picked === undefined) throw new Error('There is no fault.')
  return picked
}
const faulty = ['chat-completions', 'responses', 'messages', 'generate-content'] as const

/** A call as the ledger has it, and as the vendor billed it. */
type Pair = {
  readonly cause: string
  readonly ours: bigint
  readonly theirs: bigint
  readonly booked: BilledCall | null
  readonly entry: StoredEntry
}

/** Pairs what the ledger has with what the vendors billed, by what a reply told its client. What no client was told
 * of is left over on both sides: `unresolved` here, `untold` there. */
const paired = async ({ entries, sent, world }: Done) => {
  const prices = (await bundledPrices()).flatMap((file) => file.prices)
  const cost = (call: BilledCall): bigint => {
    const books = openVendorBooks(prices)
    books.add(call)
    return parsePicos(books.total().amount)
  }
  const untold = new Set(world.sandbox.calls())
  const named = new Map(
    [...untold].flatMap((call) => [[call.id, call] as const, [call.requestId, call] as const]),
  )
  const names = new Map(
    entries.flatMap((entry) =>
      entry.kind === 'reserved' ? [[entry.call.id, entry.call.tags['attempt'] ?? ''] as const] : [],
    ),
  )
  const pairs: Pair[] = []
  const unresolved: StoredEntry[] = []
  for (const entry of entries) {
    if (entry.kind === 'expired') unresolved.push(entry)
    if (entry.kind !== 'settled') continue
    const known = sent.get(names.get(entry.callId) ?? '')?.known ?? null
    const booked = (known === null ? null : named.get(known)) ?? null
    if (booked !== null) untold.delete(booked)
    pairs.push({
      ...{ entry, booked, ours: costOf(entry), theirs: booked === null ? 0n : cost(booked) },
      cause: entry.basis === 'measured' ? 'none' : causeOf(entry.note ?? ''),
    })
  }
  return { pairs, unresolved, untold: [...untold].map((call) => ({ call, theirs: cost(call) })) }
}

/** Why it is estimated, as the ledger says it. */
const causeOf = (note: string): string => note.split('; ')[0] ?? ''

const sum = <T>(list: readonly T[], amount: (each: T) => bigint): bigint =>
  list.reduce((total, each) => total + amount(each), 0n)

describe(`${brokenCalls} calls while the vendors break`, () => {
  let done: Done
  let pairs: readonly Pair[]
  let rest: Omit<Awaited<ReturnType<typeof paired>>, 'pairs'>
  /** How often each fault struck. */
  const struck = new Map<string, number>(faults.map(({ name }) => [name, 0]))
  const times = (...names: readonly (typeof faults)[number]['name'][]): number =>
    names.reduce((total, name) => total + (struck.get(name) ?? 0), 0)

  beforeAll(async () => {
    const load = wiresLoad(brokenCalls, { seed: 'broken wires', atOnce: false })
    done = await send(load, ({ sandbox }, call) => {
      const endpoint = faulty.find((each) => each === call.wire)
      const random = seeded('faults', call.name)
      if (endpoint === undefined || random.whole({ least: 1, most: 3 }) > 1) return
      const { name, fault } = faultOf(random)
      sandbox.faults.add({ ...fault, endpoint })
      struck.set(name, (struck.get(name) ?? 0) + 1)
    })
    const { pairs: all, ...others } = await paired(done)
    pairs = all
    rest = others
  }, minutes * 60_000)
  afterAll(() => close(done))

  it('met every fault', () => {
    expect(done.world.sandbox.faults.list()).toEqual([])
    expect(Math.min(...struck.values())).toBeGreaterThan(0)
    expect(done.world.faults).toEqual([])
  })

  it('are as in the books, each to the last unit, wherever the ledger says that it measured', () => {
    const measured = pairs.filter(({ cause }) => cause === 'none')
    expect(measured.length).toBeGreaterThan(brokenCalls / 2)
    for (const { ours, theirs, booked, entry } of measured) {
      expect(ours).toBe(theirs)
      if (booked === null || !('charges' in entry)) continue
      const meters = Object.fromEntries(entry.charges.map(({ meter, quantity }) => [meter, quantity]))
      expect(meters).toEqual(booked.usage)
    }
  })

  it('differ by as many calls as the vendors broke, and by no other', () => {
    const estimated = pairs.filter(({ cause }) => cause !== 'none').length
    const broken = times('cut early', 'cut within an event', 'cut late')
    const resets = times('reset unbilled', 'reset billed')
    expect(estimated + rest.unresolved.length).toBe(broken + resets + times('usage missing'))
    expect(pairs.filter(({ cause }) => cause === 'no usage in the reply')).toHaveLength(
      times('usage missing'),
    )
    // A stream may break before the first of its events, which would name it, has reached its client.
    const unnamed = pairs.filter(({ cause, booked }) => cause !== 'none' && booked === null)
    const unpaired = rest.unresolved.length + unnamed.length
    expect(unpaired - rest.untold.length).toBe(times('reset unbilled'))
    const refused = pairs.filter(({ entry }) => 'status' in entry && (entry.status ?? 0) >= 400)
    expect(refused).toHaveLength(times('refused', 'html'))
  })

  it('differ by what is listed by cause, and by nothing else', () => {
    const { world } = done
    const ours = spentBy(done, () => true)
    const theirs = parsePicos(world.sandbox.total().amount)
    const causes = [...new Set(pairs.map(({ cause }) => cause))].filter((cause) => cause !== 'none')
    const gaps = causes.map((cause) => {
      const calls = pairs.filter((each) => each.cause === cause)
      return { cause, calls: calls.length, gap: sum(calls, (each) => each.theirs - each.ours) }
    })
    gaps.push({
      ...{ cause: 'unresolved', calls: rest.unresolved.length },
      gap: sum(rest.untold, (each) => each.theirs),
    })
    if (longForm) console.table(gaps.map(({ gap, ...each }) => ({ ...each, gap: `${gap}` })))
    expect(causes.sort()).toEqual([
      'The provider broke off in the middle of its reply. It may have been billed.',
      'no usage in the reply',
    ])
    expect(sum(gaps, ({ gap }) => gap)).toBe(theirs - ours)
    const limit = world.gateway.limits()[0]
    expect(limit).toMatchObject({ settled: spentBy(done, bound), held: 0n })
    // What is unresolved is held at its most, which is at least what the vendors billed for it.
    expect(limit?.unresolved).toBeGreaterThanOrEqual(sum(rest.untold, (each) => each.theirs))
  })

  it('are each ended once', () => {
    const ends = done.entries.filter(({ kind }) => kind !== 'reserved').map(callOf)
    expect(new Set(ends).size).toBe(ends.length)
    expect(ends.length).toBe(done.entries.length / 2)
  })
})
