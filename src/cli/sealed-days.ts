import type { z } from 'zod'
import { OctroiError } from '../errors.ts'
import type { prunedAnswer, sealedAnswer, thawedAnswer } from '../gateway/api/answers.ts'
import { type ControlAddress, findControl, ledgerFile } from '../gateway/data-folder.ts'
import { parseDay, prunedJson, sealedDaysPath, sealedJson } from '../gateway/sealed-days.ts'
import type { Database } from '../ledger/database.ts'
import { openSqlite } from '../ledger/databases/sqlite.ts'
import { ledgerStore } from '../ledger/ledger.ts'
import { type Day, formatDay, openSeals } from '../ledger/seal.ts'
import { thawCalls } from '../ledger/sealed/pruning.ts'
import { pruneDays, sealDays, sealedFolderOf } from '../ledger/sealed/sealing.ts'
import { clockFrom } from './clock.ts'
import type { Io } from './command.ts'
import { askControl } from './control.ts'
import { formatJson } from './json.ts'
import { formatCount } from './reports.ts'
import { formatTable } from './table.ts'

type Options = Readonly<Record<string, unknown>>
type SealedJson = z.infer<typeof sealedAnswer>
type PrunedJson = z.infer<typeof prunedAnswer>

/** Seals the days of a data folder's ledger that are over; a gateway that holds it is asked to. Exit code 0, also where
 * there was nothing to seal. */
export const runSeal = async (options: Options, io: Io): Promise<number> => {
  const afterHours = readWhole('--after-hours', options['afterHours'])
  const until = options['until'] === undefined ? undefined : readDay('--until', String(options['until']))
  const told = (day: string): void => io.bar?.(`sealed ${day}`)
  const sealed = await atWriter<SealedJson>(options, {
    here: async ({ database, folder, at }) => {
      const onSeal = ({ day }: { readonly day: Day }): void => told(formatDay(day))
      const json = sealedJson(folder, await sealDays(database, { folder, at, afterHours, until, onSeal }))
      return { ...json, schema: 'octroi-ledger-seal/1' }
    },
    there: async (control) => {
      const asked = { afterHours, ...(until !== undefined && { until: formatDay(until) }), daysMax: 1 }
      const all: SealedJson['sealed'] = []
      for (;;) {
        const path = `${sealedDaysPath}/seal`
        const some = await askControl<SealedJson>(control, path, JSON.stringify(asked))
        all.push(...some.sealed)
        for (const { day } of some.sealed) told(day)
        if (some.sealed.length === 0) return { ...some, sealed: all }
      }
    },
  })
  io.bar?.('')
  if (options['json'] === true) {
    io.out(`${formatJson(sealed)}\n`)
    return 0
  }
  io.out(sealed.sealed.length === 0 ? 'Nothing to seal.\n' : sealedTable(sealed, io))
  for (const day of sealed.waiting) {
    io.err(`octroi: ${day} waits: a call of it is open, or an accrual is not posted to its end.\n`)
  }
  return 0
}

const sealedTable = ({ sealed }: SealedJson, { color }: Io): string =>
  formatTable(
    [
      { title: 'day' },
      ...['calls', 'entries', 'bytes', 'spent'].map((title) => ({ title, align: 'right' as const })),
      { title: 'sha256' },
    ],
    sealed.map(({ day, calls, entries, bytes, sums, sha256 }) => [
      day,
      ...[calls, entries, bytes].map(formatCount),
      Object.entries(sums)
        .map(([currency, sum]) => `${sum} ${currency}`)
        .join(', '),
      sha256,
    ]),
    { color },
  )

/** Removes the calls of sealed days from a data folder's ledger; a gateway that holds it is asked to. */
export const runPrune = async (options: Options, io: Io): Promise<number> => {
  const keepDays = readWhole('--keep-days', options['keepDays'])
  const keepSealedDays =
    options['keepSealedDays'] === undefined
      ? undefined
      : readWhole('--keep-sealed-days', options['keepSealedDays'])
  const told = (day: string): void => io.bar?.(`removed ${day}`)
  const { pruned, dropped } = await atWriter<PrunedJson>(options, {
    here: async ({ database, folder, at }) => {
      const onPruned = ({ day }: { readonly day: Day }): void => told(formatDay(day))
      const json = prunedJson(await pruneDays(database, { folder, at, keepDays, keepSealedDays, onPruned }))
      return { ...json, schema: 'octroi-ledger-prune/1' }
    },
    there: async (control) => {
      const asked = { keepDays, ...(keepSealedDays !== undefined && { keepSealedDays }), daysMax: 1 }
      const all: PrunedJson['pruned'] = []
      for (;;) {
        const path = `${sealedDaysPath}/prune`
        const some = await askControl<PrunedJson>(control, path, JSON.stringify(asked))
        all.push(...some.pruned)
        for (const { day } of some.pruned) told(day)
        if (some.pruned.length === 0) return { ...some, pruned: all }
      }
    },
  })
  io.bar?.('')
  if (options['json'] === true) {
    io.out(`${formatJson({ schema: 'octroi-ledger-prune/1', pruned, dropped })}\n`)
    return 0
  }
  const calls = pruned.reduce((sum, each) => sum + each.calls, 0)
  io.out(`${formatCount(calls)} calls of ${pruned.length} sealed days are now in their files only.\n`)
  if (dropped.length > 0) io.out(`${dropped.length} files given up: only sums are left of their days.\n`)
  return 0
}

/** Puts the calls of sealed days back into a data folder's ledger, so that they can be corrected. */
export const runThaw = async (options: Options, io: Io): Promise<number> => {
  const from = readDay('--from', String(options['from']))
  const to = options['to'] === undefined ? from : readDay('--to', String(options['to']))
  await checkLedger(options)
  const days = (await sealedDaysOf(options)).filter((day) => day >= from && day <= to)
  const wanted = days.map((day) => ({ day, callIds: null }))
  const calls = await thawDays(options, wanted, (day) => io.bar?.(`putting back ${formatDay(day)}`))
  io.bar?.('')
  io.out(`${formatCount(calls)} calls of ${days.length} sealed days are back in the ledger.\n`)
  return 0
}

/** Puts calls of sealed days (null: all of a day) back into a data folder's ledger, also through the gateway that holds
 * it; gives how many came back. */
export const thawDays = (
  options: Options,
  wanted: readonly { readonly day: Day; readonly callIds: readonly string[] | null }[],
  told: (day: Day) => void = () => {},
): Promise<number> =>
  atWriter(options, {
    here: async ({ database, folder }) => {
      let calls = 0
      for (const { day, callIds } of wanted) {
        told(day)
        calls += await thawCalls(database, { folder, day, callIds })
      }
      return calls
    },
    there: async (control) => {
      let calls = 0
      for (const { day, callIds } of wanted) {
        told(day)
        for (const ids of callIds === null ? [null] : pagesOf(callIds, idsPerRequest)) {
          const body = JSON.stringify({ day: formatDay(day), callIds: ids })
          const path = `${sealedDaysPath}/thaw`
          calls += (await askControl<z.infer<typeof thawedAnswer>>(control, path, body)).calls
        }
      }
      return calls
    },
  })

/** Ids of calls have room in a request. */
const idsPerRequest = 500

const pagesOf = <Each>(all: readonly Each[], size: number): readonly (readonly Each[])[] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, page) => all.slice(page * size, (page + 1) * size))

type Opened = { readonly database: Database; readonly folder: string; readonly at: number }

/** Does it with the ledger of a data folder, or by asking the gateway that holds it. */
const atWriter = async <Result>(
  options: Options,
  {
    here,
    there,
  }: {
    readonly here: (opened: Opened) => Promise<Result>
    readonly there: (control: ControlAddress) => Promise<Result>
  },
): Promise<Result> => {
  const data = String(options['data'])
  const at = clockFrom(options['clock'] === undefined ? undefined : String(options['clock'])).now()
  const file = ledgerFile(data)
  const folder = options['sealed'] === undefined ? sealedFolderOf(file) : String(options['sealed'])
  await checkLedger(options)
  const database = await openSqlite({ file, stores: [ledgerStore] }).catch(async (error: unknown) => {
    if (!(error instanceof OctroiError) || error.code !== 'ledger_locked') throw error
    const control = await findControl(data)
    if (control === null) throw error
    if (options['sealed'] === undefined) return control
    throw new OctroiError(
      'bad_input',
      'A gateway holds the ledger, and keeps sealed days in its own folder. Leave --sealed out, or stop it first.',
    )
  })
  if ('url' in database) return there(database)
  try {
    return await here({ database, folder, at })
  } finally {
    await database.close()
  }
}

/** Throws `bad_input` where there is no ledger, instead of making one. */
const checkLedger = async (options: Options): Promise<void> =>
  (await openSqlite({ file: ledgerFile(String(options['data'])), stores: [], readOnly: true })).close()

const sealedDaysOf = async (options: Options): Promise<readonly Day[]> => {
  const file = ledgerFile(String(options['data']))
  const database = await openSqlite({ file, stores: [ledgerStore], readOnly: true })
  try {
    return (await openSeals(database).list()).map(({ day }) => day)
  } finally {
    await database.close()
  }
}

const readDay = (name: string, text: string): Day => {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return parseDay(text)
  throw new OctroiError('bad_input', `${name} "${text}" is not a day. Write 2023-11-15.`)
}

const readWhole = (name: string, value: unknown): number => {
  if (/^\d{1,6}$/.test(String(value))) return Number(value)
  throw new OctroiError('bad_number', `${name} "${String(value)}" is not a whole number.`)
}
