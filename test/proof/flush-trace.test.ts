import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type DiskGateway, startDiskGateway } from './disk-gateway.ts'
import { canTrace, trace } from './disk-tools.ts'
import { readEntries } from './entries.ts'
import { orderOf, readTrace } from './flush-trace.ts'
import { doAll, longForm } from './work.ts'

const calls = longForm ? 400 : 20

let open: DiskGateway | null = null
afterEach(async () => {
  await open?.close()
  open = null
})

const callAll = (gateway: DiskGateway): Promise<void> =>
  doAll(
    Array.from({ length: calls }, () => async () => {
      expect((await gateway.call('refuses')).status).toBe(200)
    }),
    4,
  )

const isRising = (places: readonly number[]): boolean =>
  places.every((place, index) => index === 0 || place > (places[index - 1] ?? place))

describe('reading a trace', () => {
  const wal = '/data/ledger.sqlite-wal'
  const wrote = `11  pwrite64(20<${wal}>, "...\\"a1-refuses\\"...", 4096, 0) = 4096`
  const began = `11  fdatasync(20<${wal}> <unfinished ...>`
  const flushed = '11  <... fdatasync resumed>) = 0'
  const sent = '10  writev(30<TCP:[127.0.0.1:5000->127.0.0.1:6000]>, [{"POST /v1 Hello from a1"}], 1) = 90'
  const replied = '10  write(31<TCP:[127.0.0.1:7000->127.0.0.1:8000]>, "octroi-call-id: c1", 18) = 18'
  const orderIn = (...lines: string[]) => {
    const of = {
      reserved: 'a1-refuses',
      sent: 'Hello from a1',
      vendorPort: 6000,
      replied: ': c1',
    }
    return orderOf(readTrace(lines.join('\n')), of)
  }

  it('gives a rising order where each waits for the one before, and another where it does not', () => {
    const order = orderIn(wrote, began, flushed, sent, began, flushed, replied)
    expect(order).toEqual([0, 2, 3, 5, 6])
    expect(isRising(order ?? [])).toBe(true)
    const early = orderIn(wrote, began, sent, flushed, began, flushed, replied)
    expect(early).toEqual([0, 3, 2, 5, 6])
    expect(isRising(early ?? [])).toBe(false)
    expect(isRising(orderIn(sent, wrote, began, flushed, replied) ?? [])).toBe(false)
  })

  it('does not take a flush that failed for one, nor that of another file', () => {
    const failed = '11  <... fdatasync resumed>) = -1 EIO (Input/output error)'
    expect(orderIn(wrote, began, failed, sent, began, failed, replied)).toBe(null)
    const other = '11  fdatasync(21</data/octroi-spool.jsonl>) = 0'
    expect(orderIn(wrote, other, sent, other, replied)).toBe(null)
  })
})

/** Needs a tracer of system calls. It shows what the process asked of the kernel, in which order, and what the kernel
 * answered; what a disk does with a flush it does not show. */
describe.runIf(canTrace)('a trace of the system calls of a gateway', () => {
  it('shows a flush of the ledger between each reservation and the first byte sent for it, and another before its reply', async () => {
    const gateway = await startDiskGateway()
    open = gateway
    const file = join(gateway.spoolFolder, '..', 'trace')
    const what = 'trace=pwrite64,fsync,fdatasync,write,writev,sendto,sendmsg'
    const letGo = await trace(gateway.pid, ['-yy', '-s', '16384', '-e', what, '-o', file])
    await callAll(gateway)
    await letGo()
    const seen = readTrace(await readFile(file, 'latin1'))
    for (const { name, callId } of gateway.attempts) {
      const order = orderOf(seen, {
        reserved: `"${name}"`.replaceAll('"', '\\"'),
        sent: `Hello from ${name}\\"`,
        vendorPort: gateway.vendorPort,
        replied: `octroi-call-id: ${callId}`,
      })
      expect(order, name).not.toBe(null)
      expect(isRising(order ?? []), `${name}: ${order}`).toBe(true)
    }
    // The head of a request is in the same system call as its body: no byte of it went before.
    const sent = seen.filter(({ text }) => text.includes('Hello from a'))
    expect(sent.filter(({ text }) => !text.includes('POST /v1/chat/completions'))).toEqual([])
  }, 120_000)
})

/** Needs nothing. It shows that a reservation is committed and another process can read it, not that it was flushed. */
describe('the vendor, when the first byte of a call arrives', () => {
  it('finds its reservation in the file of the ledger', async () => {
    const arrived: string[] = []
    const missing: string[] = []
    const gateway = await startDiskGateway({
      arrives: (bytes) => {
        const [, name] = /Hello from (\S+?)"/.exec(bytes.toString('latin1')) ?? []
        if (name === undefined) throw new Error('The head of a request came without its body.')
        arrived.push(name)
        const reserved = readEntries(gateway.folder).some(
          (entry) => entry.kind === 'reserved' && entry.call.tags['attempt'] === name,
        )
        if (!reserved) missing.push(name)
      },
    })
    open = gateway
    await callAll(gateway)
    expect(arrived).toHaveLength(calls)
    expect(missing).toEqual([])
  }, 120_000)
})
