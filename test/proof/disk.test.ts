import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { isOfCall } from '../../src/ledger/reading.ts'
import { formatPicos } from '../../src/money/money.ts'
import { type Attempt, type DiskGateway, startDiskGateway } from './disk-gateway.ts'
import { canLimit, canTrace, limitFiles, mountSmall, trace, unmount } from './disk-tools.ts'
import { costOf, countConflicts, readEntries } from './entries.ts'
import { longForm } from './work.ts'

/** A way to make the disk fail under a gateway that runs, and to mend it. */
type Trouble = { readonly begin: (gateway: DiskGateway) => Promise<void>; readonly end: () => Promise<void> }

/** No file of the process may grow beyond so many bytes: what is written there fails with EFBIG. */
const sizeLimit = (bytes: number): Trouble => {
  let pid = 0
  return {
    begin: async (gateway) => {
      pid = gateway.pid
      limitFiles(pid, bytes)
    },
    end: async () => limitFiles(pid, 'unlimited'),
  }
}

/** The kernel answers a system call of the process with an error, as a broken or read-only disk makes it do. */
const injected = (calls: string, error: string): Trouble => {
  let letGo = async (): Promise<void> => {}
  const options = ['-e', `trace=${calls}`, '-e', `inject=${calls}:error=${error}`, '-o', '/dev/null']
  return {
    begin: async ({ pid }) => {
      letGo = await trace(pid, options)
    },
    end: () => letGo(),
  }
}

/** Another program holds the write lock of the ledger's file. */
const locked = (): Trouble => {
  let other: DatabaseSync
  return {
    begin: async ({ folder }) => {
      other = new DatabaseSync(join(folder, 'ledger.sqlite'), { timeout: 5_000 })
      other.exec('BEGIN IMMEDIATE')
    },
    end: async () => {
      other.exec('ROLLBACK')
      other.close()
    },
  }
}

const canMount = await (async (): Promise<boolean> => {
  const folder = await mkdtemp(join(tmpdir(), 'octroi-mount-'))
  const isMounted = mountSmall(folder, '64k')
  if (isMounted) unmount(folder)
  await rm(folder, { recursive: true })
  return isMounted
})()

const callsInTrouble = longForm ? 200 : 8
let gateway: DiskGateway
let mounted: string | null = null

afterEach(async () => {
  await gateway.close()
  if (mounted === null) return
  unmount(mounted)
  await rm(mounted, { recursive: true })
  mounted = null
})

/** Lives through a trouble: calls before, during and after it, some in flight when it comes and when it goes. */
const live = async (trouble: Trouble, troubleMs = 0): Promise<void> => {
  const both = () => [gateway.call('refuses'), gateway.call('spools')]
  for (let calls = 0; calls < 5; calls += 1) await Promise.all(both())
  gateway.sandbox.faults.add({ kind: 'slow', delayMs: 1_000 })
  gateway.sandbox.faults.add({ kind: 'slow', delayMs: 1_000 })
  const inFlight = both()
  await sleep(500)
  await trouble.begin(gateway)
  const begun = performance.now()
  await Promise.all(inFlight)
  for (let calls = 0; calls < callsInTrouble; calls += 1) await Promise.all(both())
  await sleep(Math.max(0, troubleMs - (performance.now() - begun)))
  gateway.sandbox.faults.add({ kind: 'slow', delayMs: 1_000 })
  const last = gateway.call('spools')
  await sleep(500)
  await trouble.end()
  await last
  for (let calls = 0; calls < 5; calls += 1) await Promise.all(both())
}

const sent = (): readonly Attempt[] => gateway.attempts.filter(({ status }) => status === 200)
const refused = (): readonly Attempt[] => gateway.attempts.filter(({ status }) => status !== 200)

/** What of each attempt stands in the ledger, in order, by its name. */
const livesOf = (folder: string): Readonly<Record<string, string>> => {
  const names = new Map<string, string>()
  const lives: Record<string, string> = {}
  for (const entry of readEntries(folder)) {
    if (!isOfCall(entry)) continue
    const id = entry.kind === 'reserved' ? entry.call.id : entry.callId
    if (entry.kind === 'reserved') names.set(id, entry.call.tags['attempt'] ?? '')
    const name = names.get(id) ?? ''
    lives[name] = lives[name] === undefined ? entry.kind : `${lives[name]}, ${entry.kind}`
  }
  return lives
}

/** Refused calls were not sent; all others were answered, and are in the ledger once, for what the vendor billed. */
const expectExact = async (): Promise<void> => {
  const { folder, sandbox } = gateway
  expect(refused().map(({ status, code }) => [status, code])).toEqual(
    refused().map(() => [503, 'ledger_unavailable']),
  )
  expect(
    sandbox
      .calls()
      .map(({ id }) => id)
      .sort(),
  ).toEqual(
    sent()
      .map(({ id }) => id)
      .sort(),
  )
  expect(livesOf(folder)).toEqual(Object.fromEntries(sent().map(({ name }) => [name, 'reserved, settled'])))
  const settled = readEntries(folder).flatMap((entry) => (entry.kind === 'settled' ? [costOf(entry)] : []))
  expect(formatPicos(settled.reduce((sum, amount) => sum + amount, 0n))).toBe(sandbox.total().amount)
  expect(countConflicts(folder)).toBe(0)
  expect(await gateway.verified()).toMatchObject({ agrees: true, differences: [] })
  expect(await gateway.waiting()).toEqual([])
}

/** Both keys met the trouble, each in its way; at the end both are served from the ledger again. */
const expectMet = (spooled: readonly string[]): void => {
  expect(refused().every(({ name }) => name.endsWith('-refuses'))).toBe(true)
  expect(refused().length).toBeGreaterThan(callsInTrouble / 2)
  const waited = sent().filter((attempt) => attempt.spooled !== null)
  expect(waited.length).toBeGreaterThan(callsInTrouble / 2)
  expect([...new Set(waited.map((attempt) => attempt.spooled))].sort()).toEqual(spooled)
  expect(gateway.attempts.slice(-4).map(({ status, spooled }) => [status, spooled])).toEqual(
    Array.from({ length: 4 }, () => [200, null]),
  )
  expect(gateway.log.some(({ event, is }) => event === 'spool' && is === 'posted')).toBe(true)
}

describe.runIf(canLimit)('a file that may not grow (EFBIG)', () => {
  it('refuses or spools, and is exact when it may grow again', async () => {
    gateway = await startDiskGateway()
    await live(sizeLimit(longForm ? 2_000_000 : 32_768))
    expectMet(['true'])
    await gateway.end('SIGTERM')
    await expectExact()
  }, 120_000)

  it('where the spool cannot be written either, calls of the key that spools go on in memory', async () => {
    gateway = await startDiskGateway()
    await live(sizeLimit(1))
    expectMet(['memory'])
    await gateway.end('SIGTERM')
    await expectExact()
  }, 120_000)

  it('the process is killed meanwhile: what waits is posted when it starts again', async () => {
    gateway = await startDiskGateway()
    const trouble = sizeLimit(32_768)
    await gateway.call('refuses')
    await trouble.begin(gateway)
    for (let calls = 0; calls < 8; calls += 1) await gateway.call('spools')
    expect(sent().filter(({ spooled }) => spooled === 'true').length).toBeGreaterThan(4)
    await gateway.end('SIGKILL')
    expect(await gateway.waiting()).toHaveLength(1)
    await gateway.start()
    await gateway.call('refuses')
    await gateway.end('SIGTERM')
    await expectExact()
  }, 120_000)
})

describe.runIf(canMount)('a disk that is full (ENOSPC)', () => {
  it('refuses or spools to another disk, and is exact when there is room again', async () => {
    mounted = await mkdtemp(join(tmpdir(), 'octroi-full-'))
    expect(mountSmall(mounted, '16m')).toBe(true)
    gateway = await startDiskGateway({ folder: join(mounted, 'data') })
    const filler = join(mounted, 'filler')
    await live({
      begin: async () => {
        await writeFile(filler, Buffer.alloc(32_000_000)).catch(() => {})
      },
      end: () => rm(filler),
    })
    await gateway.end('SIGTERM')
    await expectExact()
    expect(refused().length).toBeGreaterThan(0)
    expect(sent().filter(({ spooled }) => spooled === 'true').length).toBeGreaterThan(0)
  }, 120_000)
})

describe.runIf(canTrace)('a disk that has become read-only (EROFS)', () => {
  it('refuses or spools to another disk, and is exact when it can be written again', async () => {
    gateway = await startDiskGateway()
    await live(injected('pwrite64', 'EROFS'))
    expectMet(['true'])
    await gateway.end('SIGTERM')
    await expectExact()
  }, 120_000)
})

describe.runIf(canTrace)('a disk that cannot flush (EIO)', () => {
  it('counts nothing as written that was not flushed, and is exact when it can flush again', async () => {
    gateway = await startDiskGateway()
    await live(injected('fsync,fdatasync', 'EIO'))
    expectMet(['memory'])
    await gateway.end('SIGTERM')
    await expectExact()
  }, 120_000)
})

describe('a ledger that another program has locked', () => {
  it.each(longForm ? [1_000, 10_000] : [1_000])(
    'for %i ms refuses or spools, and is exact afterwards',
    async (ms) => {
      gateway = await startDiskGateway()
      await live(locked(), ms)
      expectMet(['true'])
      await gateway.end('SIGTERM')
      await expectExact()
    },
    120_000,
  )
})
