import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Database } from '../../src/ledger/database.ts'
import { dayMs, formatDay, type KeptSeal, openSeals } from '../../src/ledger/seal.ts'
import { quoted, withDuck } from '../../src/ledger/sealed/duck.ts'
import { hashOf } from '../../src/ledger/sealed/seal-day.ts'

/** Makes sealed days out of one that was sealed: `days` files of `copies` times its calls, each at its own times, with
 * ids, end users and conversations of its own, written and recorded as sealed days are. They are as large and
 * as various as real ones; the entries they would have come from were never written. Gives the bytes of them all. */
export const repeatDay = async (
  database: Database,
  folder: string,
  seal: KeptSeal,
  { days, copies }: { readonly days: number; readonly copies: number },
): Promise<number> => {
  await mkdir(folder, { recursive: true })
  const seals = openSeals(database)
  let bytes = 0
  for (let index = 1; index <= days; index += 1) {
    const day = seal.day + index
    const file = `${formatDay(day)}.parquet`
    const path = join(folder, file)
    const shift = index * dayMs
    await withDuck({ memoryMb: 1_000, spill: join(folder, '.spill') }, (duck) =>
      duck.run(`COPY (
        SELECT * REPLACE (
          left(call_id, 17) || substr(md5(call_id || n.copy || '${index}'), 1, 20) AS call_id,
          "at" + ${shift} AS "at", call_made + ${shift} AS call_made,
          end_user || n.copy AS end_user, call_end_user || n.copy AS call_end_user,
          conversation || n.copy AS conversation, call_conversation || n.copy || '${index}' AS call_conversation)
        FROM read_parquet(${quoted(seal.file)}), (SELECT unnest(range(${copies})) AS copy) n
        ORDER BY copy
      ) TO ${quoted(path)} (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)`),
    )
    const { size, sha256 } = await sizeOf(path)
    bytes += size
    const { isPruned: _, droppedAt: __, ...said } = seal
    await seals.record({ ...said, day, file, sha256, bytes: size, calls: seal.calls * copies })
  }
  return bytes
}

const sizeOf = async (path: string): Promise<{ readonly size: number; readonly sha256: string }> => {
  const { stat } = await import('node:fs/promises')
  return { size: (await stat(path)).size, sha256: await hashOf(path) }
}
