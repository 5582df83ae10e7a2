import { parentPort, workerData } from 'node:worker_threads'
import type { Fault } from '../databases/sqlite-error.ts'
import { faultOf } from '../databases/sqlite-error.ts'
import type { Difference } from '../ledger.ts'
import type { Day, EntryColumn, KeptSeal } from '../seal.ts'
import type { SealedSums, SumsName } from '../sealed-sums.ts'
import { compareDay } from './compare-day.ts'
import { type DaySource, openDaySource } from './day-source.ts'
import { rewriteDay } from './rewrite-day.ts'
import { type Written, writeDay } from './write-day.ts'
import {
  type CheckSumsAsked,
  checkSums,
  type DaySumsAsked,
  type TenSumsAsked,
  type WrittenSums,
  writeDaySums,
  writeTenSums,
} from './write-sums.ts'

/** A thread that writes days and compares them, so that nobody else waits. It reads the ledger's file beside its writer. */

/** What the thread is started with. */
export type DayThreadSettings = { readonly file: string; readonly columns: readonly EntryColumn[] }

/** What it can be asked, and what it gives. */
export type DayVerbs = {
  readonly write: {
    readonly asked: {
      readonly path: string
      readonly spill: string
      readonly day: Day
      readonly last: number
    }
    readonly result: Written
  }
  readonly rewrite: {
    readonly asked: DayVerbs['write']['asked'] & { readonly before: string }
    readonly result: Written
  }
  readonly compare: {
    readonly asked: { readonly path: string; readonly seal: KeptSeal }
    readonly result: readonly Difference[]
  }
  readonly sumDay: {
    readonly asked: DaySumsAsked
    readonly result: Readonly<Record<SumsName, WrittenSums>>
  }
  readonly sumTen: { readonly asked: TenSumsAsked; readonly result: WrittenSums }
  readonly checkSums: { readonly asked: CheckSumsAsked; readonly result: readonly SealedSums[] }
}

export type DayAsk =
  | {
      readonly [Verb in keyof DayVerbs]: {
        readonly id: number
        readonly verb: Verb
        readonly asked: DayVerbs[Verb]['asked']
      }
    }[keyof DayVerbs]
  | { readonly close: true }

export type DayAnswer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly fault: Fault }

const start = (port: NonNullable<typeof parentPort>, { file, columns }: DayThreadSettings): void => {
  const source = openDaySource(file, columns)
  port.on('message', async (ask: DayAsk) => {
    if ('close' in ask) {
      source.close()
      port.close()
      return
    }
    try {
      port.postMessage({ id: ask.id, result: await work(source, ask) } satisfies DayAnswer)
    } catch (error) {
      port.postMessage({ id: ask.id, fault: faultOf(error, file) } satisfies DayAnswer)
    }
  })
}

const work = (
  source: DaySource,
  ask: Exclude<DayAsk, { readonly close: true }>,
): Promise<DayVerbs[keyof DayVerbs]['result']> => {
  switch (ask.verb) {
    case 'write':
      return writeDay(source, ask.asked)
    case 'rewrite':
      return rewriteDay(source, ask.asked)
    case 'compare':
      return compareDay(source, ask.asked)
    case 'sumDay':
      return writeDaySums(ask.asked)
    case 'sumTen':
      return writeTenSums(ask.asked)
    default:
      return checkSums(ask.asked)
  }
}

if (parentPort !== null) start(parentPort, workerData)
