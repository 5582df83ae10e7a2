import { expect } from 'vitest'
import { bundledBook } from '../src/cli/bundled.ts'
import type { Settlement } from '../src/ledger/entry.ts'
import type { CallLife, CallRow, ImportedRow } from '../src/ledger/reading.ts'
import { type Picos, parsePicos } from '../src/money/money.ts'
import { price } from '../src/pricing/price.ts'
import { type RateOn, type Reconciliation, reconcile } from '../src/reports/reconciliation.ts'
import { createCellFold } from '../src/reports/reconciliation-cells.ts'
import { createEvidenceFold } from '../src/reports/reconciliation-evidence.ts'
import { formatInstant, parseInstant } from '../src/time.ts'
import type { Usage } from '../src/usage/usage.ts'
import { exampleLine } from './conformance/imports.ts'
import { exampleCall, exampleReservation, exampleSettlement } from './conformance/ledger.ts'

const book = await bundledBook()

/** A day of November 2025. */
const day = (number: number): number => parseInstant('2025-11-01') + (number - 1) * 86_400_000

let sequence = 0
const next = (): number => {
  sequence += 1
  return sequence
}

type Told = {
  readonly on: number
  readonly model: string
  readonly project?: string | null
  readonly tier?: string
}

/** A call of the ledger at noon of a day, priced by the book. */
export const call = (
  id: string,
  { on, model, project = null, tier = 'default' }: Told,
  usage: Usage,
  more: Partial<Settlement> = {},
): CallRow => {
  const at = day(on) + 43_200_000
  const { charges, unpriced } = price(usage, { provider: 'openai', model, at, attributes: { tier } }, book)
  return {
    call: exampleCall(id, { at, model, project }),
    settlement: {
      kind: 'settled',
      sequence: next(),
      ...exampleSettlement(id, 0n, { at, model, tier, charges, unpriced, ...more }),
    },
  }
}

/** A call that was sent and never heard of again. */
export const expired = (id: string, { on, model }: Told, most: Picos): CallLife => {
  const at = day(on) + 43_200_000
  return {
    reserved: {
      kind: 'reserved',
      sequence: next(),
      ...exampleReservation(id, most),
      call: exampleCall(id, { at, model }),
    },
    ends: [{ kind: 'expired', sequence: next(), callId: id, at: at + 60_000 }],
  }
}

/** A line of the vendor's bill: `gpt-5, input` on a day, so many tokens for an amount of dollars. */
export const billed = (
  item: string,
  {
    on,
    tokens,
    amount,
    currency = 'USD',
  }: { on: number; tokens?: number; amount: string; currency?: string },
): ImportedRow => {
  const [model = '', words = ''] = item.split(', ')
  const meter = (
    {
      input: 'input_text_tokens',
      output: 'output_text_tokens',
      'cached input': 'cached_input_tokens',
    } as const
  )[words]
  return row({
    ...{
      role: 'bill',
      importer: 'openai-costs',
      endpoint: 'costs',
      from: day(on),
      to: day(on + 1),
      currency,
    },
    model: item.includes(', ') ? model : null,
    tier: null,
    reported: {
      usage: meter === undefined || tokens === undefined ? [] : [{ meter, quantity: tokens }],
      amount: parsePicos(amount),
      ...{ requests: null, lineItem: item, project: 'proj_1', apiKey: null },
    },
  })
}

/** A row of the vendor's usage report. */
export const used = (
  model: string,
  {
    on,
    requests,
    tier = 'standard',
    usage,
  }: { on: number; requests: number | null; tier?: string; usage: Usage },
): ImportedRow =>
  row({
    ...{
      role: 'usage',
      importer: 'openai-usage',
      endpoint: 'usage/completions',
      from: day(on),
      to: day(on + 1),
      model,
      tier,
    },
    reported: {
      usage: Object.entries(usage).map(([meter, quantity]) => ({
        meter: meter as keyof Usage,
        quantity: quantity as number,
      })),
      ...{ amount: null, requests, lineItem: null, project: 'proj_1', apiKey: null },
    },
  })

const row = (more: Partial<ImportedRow>): ImportedRow => ({
  ...{ kind: 'imported', corrects: null, sequence: next() },
  ...exampleLine(`line_${sequence}`, 0n, { calls: 0 }),
  ...more,
})

export type World = {
  readonly lines: readonly ImportedRow[]
  readonly calls: readonly CallRow[]
  readonly lives?: readonly CallLife[]
  readonly rateOn?: RateOn
}

/** Reconciles November 2025. */
export const reconciled = ({ lines, calls, lives = [], rateOn }: World): Reconciliation => {
  const fold = createCellFold('openai')
  fold.addImported(lines)
  fold.addCalls(calls)
  const groups = fold.groups()
  const evidence = createEvidenceFold(groups, fold, 'openai')
  evidence.addCalls(calls)
  evidence.addLives(lives)
  return reconcile(groups, {
    ...{ from: day(1), to: day(31), book, pricesFrom: 'openai', evidenceOf: evidence.of },
    ...(rateOn && { rateOn }),
  })
}

/** The model of these tests. */
export const model = 'gpt-5'
/** At 1.25 for a million tokens in, 0.125 cached, and 10 out; at priority 2.5 and 20. */
export const usage = { input_text_tokens: 1_000, output_text_tokens: 100 }

/** A day on which the vendor bills 1,000 tokens in and 100 out, as one call used them. */
export const agreeing = (on: number): World => ({
  calls: [call(`call_${on}`, { on, model }, usage)],
  lines: [
    billed('gpt-5, input', { on, tokens: 1_000, amount: '0.00125' }),
    billed('gpt-5, output', { on, tokens: 100, amount: '0.001' }),
    used(model, { on, requests: 1, usage }),
  ],
})

/** The vendor's bill and usage report of one day: tokens and amounts in and out. */
export const billOfDay = (
  on: number,
  [tokensIn, amountIn]: readonly [number, string],
  [tokensOut, amountOut]: readonly [number, string],
  requests: number | null = 1,
) => [
  billed('gpt-5, input', { on, tokens: tokensIn, amount: amountIn }),
  billed('gpt-5, output', { on, tokens: tokensOut, amount: amountOut }),
  used(model, { on, requests, usage: { input_text_tokens: tokensIn, output_text_tokens: tokensOut } }),
]

/** Several worlds in one. */
export const all = (...worlds: readonly World[]): World => ({
  calls: worlds.flatMap(({ calls }) => calls),
  lines: worlds.flatMap(({ lines }) => lines),
  lives: worlds.flatMap(({ lives = [] }) => lives),
})

/** Every cell that differs: its day, what it is of, and why. */
export const told = ({ cells }: Reconciliation) =>
  cells.flatMap(({ day, meter, lineItem, kind }) =>
    kind === null ? [] : [[Number(formatInstant(day).slice(8, 10)), meter ?? lineItem, kind]],
  )

/** In each cell and in total, parts sum to the gap. */
export const expectSums = ({ cells, totals }: Reconciliation): void => {
  for (const { amounts, kind } of cells) {
    for (const { vendor, ledger, gap } of amounts) expect(gap).toBe(vendor - ledger)
    expect(kind === null && amounts.some(({ gap }) => gap !== 0n)).toBe(false)
  }
  for (const { currency, vendor, ledger, gap, parts } of totals) {
    const its = cells.flatMap(({ amounts }) => amounts.filter((each) => each.currency === currency))
    expect(gap).toBe(vendor - ledger)
    expect(its.reduce((sum, each) => sum + each.gap, 0n)).toBe(gap)
    expect(parts.reduce((sum, each) => sum + each.amount, 0n)).toBe(gap)
  }
}

/** Of each cell, its meter and why its sides differ. */
export const kinds = (world: World) => reconciled(world).cells.map(({ meter, kind }) => [meter, kind])
