import type { Accrued } from '../../src/ledger/accrual.ts'
import type { Attempt, Settlement } from '../../src/ledger/entry.ts'
import type { Imported } from '../../src/ledger/imported.ts'
import type { Ledger } from '../../src/ledger/ledger.ts'
import { rational } from '../../src/money/rational.ts'
import type { Charge } from '../../src/pricing/price.ts'
import type { Instant } from '../../src/time.ts'
import { exampleAccrued, exampleKept, exampleUse, postedUntil } from '../conformance/accruals.ts'
import { exampleLine, withdrawnLine } from '../conformance/imports.ts'
import { exampleCharge } from '../conformance/ledger.ts'
import { type GeneratedCall, type GeneratedYear, generateCalls } from './generated-calls.ts'
import { loadCalls } from './load-calls.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Writes everything that can be in a ledger: calls that were measured, estimated, corrected (some twice), tried again,
 * broken off, refused, lost and found again, in two currencies, some of them below their list price and some without a
 * price; imported lines, some of which were replaced or withdrawn, and a bill; sessions and kept objects. */
export const loadVariedLedger = async (ledger: Ledger, year: GeneratedYear): Promise<void> => {
  await loadCalls(ledger, variedCalls(generateCalls(year)))
  await correctAgain(ledger, year)
  await importLines(ledger, year)
  await accrue(ledger, year)
}

function* variedCalls(calls: Iterable<GeneratedCall>): Generator<GeneratedCall> {
  let index = 0
  for (const call of calls) {
    yield varied(call, index)
    index += 1
  }
}

/** Which calls are varied how goes by their number; the numbers have no common divisor, so that all come together. */
const varied = ({ reservation, end, late, correction }: GeneratedCall, index: number): GeneratedCall => {
  const currency = index % 11 === 0 ? 'EUR' : reservation.currency
  const attempt: Attempt = {
    durationMs: 200 + (index % 4_001),
    firstByteMs: index % 3 === 0 ? null : 90 + (index % 17),
    retry: index % 23 === 0 ? 1 : 0,
  }
  const settled = (settlement: Settlement): Settlement => {
    const isCut = index % 31 === 0
    return {
      ...settlement,
      ...{ currency, attempt },
      ...withoutPrice(index % 37 === 0, { ...settlement, charges: promoted(index, settlement.charges) }),
      ...(isCut && { basis: 'estimated', note: 'The provider broke off after 12 tokens.' }),
    }
  }
  const { call } = reservation
  const varied = {
    ...reservation,
    currency,
    call: {
      ...call,
      endUser: call.endUser?.slice(0, 8) ?? null,
      conversation: call.conversation === null ? null : `conversation_${Math.floor(index / 50)}`,
    },
  }
  if (end !== null && 'reason' in end) {
    const refusal = [{ status: 503, attempt }, { status: 429, attempt }, { status: 400, attempt }, {}][
      index % 4
    ]
    return { reservation: varied, end: { ...end, ...refusal }, late, correction }
  }
  if (end !== null && index % 211 === 0) {
    return { reservation: varied, end: null, late: settled(end), correction: null }
  }
  const better = end !== null && index % 29 === 0 ? corrected(settled(end), index) : correction
  return {
    ...{ reservation: varied, end: end && settled(end), late: late && settled(late) },
    correction: better && { ...better, currency },
  }
}

/** Every thirteenth call pays half of the list price of what it used first. */
const promoted = (index: number, charges: readonly Charge[]): readonly Charge[] =>
  charges.map((charge, position) => {
    const { unitPrice, per } = charge
    return index % 13 === 0 && position === 0 && per % 2 === 0
      ? { ...charge, list: { unitPrice, per: per / 2, price: 'list' } }
      : charge
  })

/** Something that no book has a price for stands in the place of what was used first. */
const withoutPrice = (
  isMeant: boolean,
  { charges, unpriced }: Settlement,
): Pick<Settlement, 'charges' | 'unpriced'> => {
  const [first, ...rest] = charges
  if (!isMeant || first === undefined) return { charges, unpriced }
  const image = { meter: 'image', quantity: 2, code: 'no_price', message: 'No price.' } as const
  return { charges: rest, unpriced: [...unpriced, image] }
}

/** It used three times as much; every other one proves to be of another model, and of a conversation. */
const corrected = (settlement: Settlement, index: number): Settlement => ({
  ...settlement,
  at: settlement.at + dayMs,
  basis: 'reconciled',
  charges: settlement.charges.map((charge) => ({
    ...charge,
    quantity: 3 * Number(charge.quantity),
    amount: 3n * charge.amount,
    exact: { ...charge.exact, numerator: 3n * charge.exact.numerator },
  })),
  ...(index % 58 === 0 && { model: `${settlement.model}-revised`, conversation: 'conversation_found' }),
})

/** Corrects some of what was corrected once more. */
const correctAgain = async (ledger: Ledger, year: GeneratedYear): Promise<void> => {
  let index = 0
  for (const { reservation, end } of generateCalls(year)) {
    if (index % 290 === 0 && end !== null && !('reason' in end)) {
      const last = (await ledger.life(reservation.call.id))?.ends.at(-1)
      if (last?.kind === 'adjusted') {
        const charges = last.charges.slice(1)
        const { sequence: corrects, kind: _, ...settlement } = last
        await ledger.adjust({ ...settlement, charges, note: 'Corrected twice.', corrects })
      }
    }
    index += 1
  }
}

/** Six lines of usage a day, and what the vendor asks for. One of them begins within an hour, another gives something
 * back. */
const importLines = async (ledger: Ledger, { from, days }: GeneratedYear): Promise<void> => {
  const lines: Imported[] = []
  for (let day = 0; day < days; day += 1) {
    for (let line = 0; line < 6; line += 1) lines.push(usageLine({ from: from + day * dayMs, day, line }))
    lines.push(billLine(from + day * dayMs, day))
  }
  await ledger.imports.post(lines)
  await ledger.imports.post(lines.slice(0, 50))
  const replaced = lines.filter(({ role }, index) => role === 'usage' && index % 9 === 0)
  await ledger.imports.post(
    replaced.map((line) => ({
      ...line,
      at: line.at + dayMs,
      calls: line.calls + 1,
      charges: line.charges.map((charge) => used(Number(charge.quantity) + 1)),
    })),
  )
  const withdrawn = lines.filter(({ role }, index) => role === 'usage' && index % 17 === 0)
  await ledger.imports.post(
    withdrawn.map((line) => {
      const { reported, charges, unpriced, calls } = withdrawnLine(line.lineId)
      return { ...line, at: line.at + 2 * dayMs, reported, charges, unpriced, calls }
    }),
  )
}

const usageLine = ({
  from,
  day,
  line,
}: {
  readonly from: Instant
  readonly day: number
  readonly line: number
}): Imported => {
  const credit = { ...exampleCharge(-1_234_567_891n), price: 'vendor-reported' }
  const charge = line === 4 ? credit : used(day * 7_919 + line * 104_729 + 1)
  const begins = line === 3 ? from + 5 * hourMs + 17 * 60_000 : from
  const tags: Readonly<Record<string, string>> = line % 2 === 0 ? { feature: `feature_${line}` } : {}
  return exampleLine(`usage ${day} ${line}`, 0n, {
    ...{ at: from + 3 * dayMs, from: begins, to: from + dayMs, charges: [charge] },
    owner: {
      ...{ key: line === 2 ? 'key_1_0' : null, organization: 'acme', team: `team_${line * 9}` },
      ...{ project: line === 5 ? 'project_5' : null, environment: null },
      ...{ endUser: line === 1 ? 'user_imported' : null, tags },
    },
    provider: ['openai', 'anthropic'][line % 2] ?? '',
    model: line === 5 ? null : `imported-${line}`,
    currency: line === 2 ? 'EUR' : 'USD',
    calls: line === 4 ? 0 : line + day,
    unpriced: line === 0 ? [{ meter: 'image', quantity: 2, code: 'no_price', message: 'No price.' }] : [],
  })
}

/** What an imported line used, at 30 for a million. */
const used = (quantity: number): Charge => ({
  ...exampleCharge(BigInt(quantity) * 30_000_000n),
  meter: 'output_text_tokens',
  quantity,
  exact: rational(BigInt(quantity) * 30n, 1_000_000n),
})

const billLine = (from: Instant, day: number): Imported =>
  exampleLine(`bill ${day}`, 0n, {
    ...{ at: from + 3 * dayMs, from, to: from + dayMs, role: 'bill', importer: 'openai-costs', calls: 0 },
    reported: {
      ...{ usage: [], amount: BigInt(day + 1) * 10n ** 12n, requests: null },
      ...{ lineItem: 'gpt-4, input', project: null, apiKey: null },
    },
  })

/** An hour of what is kept for 0.24 a day, half of its list price. */
const hourly: Charge = {
  ...exampleCharge(10_000_000_000n),
  ...{ meter: 'retrieval_gb_day', quantity: { numerator: 1n, denominator: 24n } },
  ...{ unitPrice: '0.24', per: 1, exact: rational(1n, 100n) },
  list: { unitPrice: '0.48', per: 1, price: 'list' },
}

/** A session every other day, and five objects that are kept for two days, each hour posted. */
const accrue = async ({ accruals }: Ledger, { from, days }: GeneratedYear): Promise<void> => {
  for (let day = 0; day < days; day += 2) {
    const use = exampleUse(`use ${day}`, from + day * dayMs + 13 * hourMs + 59 * 60_000)
    const charge = {
      ...exampleCharge(30_000_000_000n),
      meter: use.meter,
      quantity: 1,
      unitPrice: '0.03',
      per: 1,
    }
    const charges = [{ ...charge, exact: rational(3n, 100n) }]
    await accruals.use({ ...use, posting: { ...use.posting, charges, list: charge.amount } })
  }
  const hours = 48
  for (let object = 0; object < Math.min(5, days - 2); object += 1) {
    const begins = from + object * dayMs
    await accruals.keep(exampleKept(`file_${object}`, { from: begins }))
  }
  for (const { id, object, from: begins } of await accruals.due({ before: from + days * dayMs, limit: 10 })) {
    const entries = Array.from({ length: hours }, (_, hour): Accrued => {
      const at = begins + hour * hourMs
      return exampleAccrued(id, hourly.amount, {
        object,
        at: at + hourMs,
        from: at,
        to: at + hourMs,
        charges: [hourly],
      })
    })
    const posted = entries.reduce((sum, { charges }) => sum + (charges[0]?.amount ?? 0n), 0n)
    const until = begins + hours * hourMs
    await accruals.post([{ id, from: begins, entries, now: postedUntil(until, posted) }])
    await accruals.end({ upstream: 'openai', meter: null, holder: null, object, at: until })
  }
}
