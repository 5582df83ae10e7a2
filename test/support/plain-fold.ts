import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import { post } from '../../src/money/money.ts'
import { divide, multiply, parseDecimal, type Rational, rational } from '../../src/money/rational.ts'
import type { Instant } from '../../src/time.ts'

/** What a name came to: amounts in 10^-12 of the currency, as posted and at list prices. */
export type PlainSum = { amount: bigint; list: bigint; calls: number; charges: number }

/** Sums by currency and name, written as JSON, of one way to name. */
export type PlainSums = ReadonlyMap<string, PlainSum>

/** Something that was charged, or that was used and has no price (its amount is 0), or (`meter` is null) calls. */
export type PlainFact = {
  readonly kind: 'call' | 'accrued' | 'imported'
  readonly at: Instant
  readonly currency: string
  readonly organization: string | null
  readonly team: string | null
  readonly project: string | null
  readonly environment: string | null
  readonly key: string | null
  readonly provider: string
  readonly model: string | null
  readonly endpoint: string
  readonly endUser: string | null
  readonly conversation: string | null
  readonly tags: Readonly<Record<string, string>>
  readonly basis: string
  readonly meter: string | null
  readonly amount: bigint
  readonly list: bigint
  readonly calls: number
  readonly charges: number
}

/** How a fact is named; undefined where it does not count. */
export type Naming = (fact: PlainFact) => string | null | undefined

/** Folds the entries of a ledger's file one by one, by its tables alone and by no code of the reports: what no later entry
 * corrects stands. Gives what each way to name comes to. */
export const foldEntries = <Name extends string>(
  file: string,
  namings: Readonly<Record<Name, Naming>>,
): Readonly<Record<Name, PlainSums>> => {
  const sums = Object.fromEntries(
    Object.keys(namings).map((name) => [name, new Map<string, PlainSum>()]),
  ) as Record<Name, Map<string, PlainSum>>
  for (const fact of factsOf(file)) {
    for (const name of Object.keys(namings) as Name[]) {
      const named = namings[name](fact)
      if (named === undefined) continue
      const key = JSON.stringify([fact.currency, named])
      const sum = sums[name].get(key) ?? { amount: 0n, list: 0n, calls: 0, charges: 0 }
      sums[name].set(key, sum)
      sum.amount += fact.amount
      sum.list += fact.list
      sum.calls += fact.calls
      sum.charges += fact.charges
    }
  }
  return sums
}

/** How many calls were sent to a vendor: all that were reserved, but those that ended without a reply or an attempt. */
export const countAttempts = (file: string): number => {
  const database = new DatabaseSync(file, { readOnly: true })
  const { count } =
    database
      .prepare(
        `SELECT count(*) AS count FROM entries r WHERE kind = 'reserved' AND NOT EXISTS (
           SELECT 1 FROM entries e WHERE e.call_id = r.call_id AND e.kind = 'released' AND e.status IS NULL
             AND e.duration_ms IS NULL)`,
      )
      .get() ?? {}
  database.close()
  return Number(count)
}

const standing = `
  SELECT e.sequence, e.kind, e.basis, e.unpriced, e.from_at, e.list, e.calls, e.source, s.name AS served,
    r.at AS reserved_at, q.name AS asked, o.name AS owner, coalesce(r.tags, e.tags) AS tags,
    coalesce(r.end_user, e.end_user) AS end_user, coalesce(e.conversation, r.conversation) AS conversation
  FROM entries e
  LEFT JOIN entries r ON r.call_id = e.call_id AND r.kind = 'reserved' AND e.kind IN ('settled', 'adjusted')
  LEFT JOIN names s ON s.id = e.service LEFT JOIN names q ON q.id = r.service
  LEFT JOIN names o ON o.id = coalesce(r.owner, e.owner)
  WHERE e.kind IN ('settled', 'adjusted', 'accrued', 'imported')
    AND NOT EXISTS (SELECT 1 FROM entries c WHERE c.corrects = e.sequence)
  ORDER BY e.sequence`

type Row = Readonly<Record<string, SQLOutputValue>>

function* factsOf(file: string): Generator<PlainFact> {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    const charges = database.prepare(
      'SELECT c.amount, c.quantity, n.name FROM charges c JOIN names n ON n.id = c.price WHERE c.entry = ? ORDER BY position',
    )
    charges.setReadBigInts(true)
    const entries = database.prepare(standing)
    entries.setReadBigInts(true)
    for (const row of entries.iterate()) yield* factsOfEntry(row, charges.all(row['sequence'] ?? null))
  } finally {
    database.close()
  }
}

function* factsOfEntry(row: Row, charges: readonly Row[]): Generator<PlainFact> {
  const kind = row['kind'] === 'accrued' || row['kind'] === 'imported' ? row['kind'] : 'call'
  const [organization, team, project, environment, key] = JSON.parse(String(row['owner']))
  const [provider, model, endpoint, currency] = JSON.parse(String(row['served']))
  const fact = {
    kind,
    at: Number(row['reserved_at'] ?? row['from_at']),
    ...{ currency, organization, team, project, environment, key, model },
    ...(kind === 'call' ? askedOf(row) : { provider, endpoint }),
    endUser: textOf(row['end_user']),
    conversation: textOf(row['conversation']),
    tags: JSON.parse(textOf(row['tags']) ?? '{}'),
    basis: kind === 'imported' ? 'imported' : String(row['basis']),
  } as const
  const nothing = { meter: null, amount: 0n, list: 0n, calls: 0, charges: 0 }
  const calls = kind === 'call' ? 1 : Number(row['calls'] ?? 0)
  if (calls > 0) yield { ...fact, ...nothing, calls }
  let rest = kind === 'accrued' ? BigInt(String(row['list'])) : null
  for (const charge of charges) {
    const meter = String(JSON.parse(String(charge['name']))[1])
    const amount = BigInt(String(charge['amount']))
    const list = rest ?? listOf(charge, amount)
    if (rest !== null) rest = 0n
    yield { ...fact, meter, amount, list, calls: 0, charges: 1 }
  }
  for (const { meter } of JSON.parse(textOf(row['unpriced']) ?? '[]')) yield { ...fact, ...nothing, meter }
}

/** A call is at the provider and endpoint that were asked. */
const askedOf = (row: Row): Pick<PlainFact, 'provider' | 'endpoint'> => {
  const [provider, , endpoint] = JSON.parse(String(row['asked']))
  return { provider, endpoint }
}

const textOf = (value: SQLOutputValue | undefined): string | null =>
  value === null || value === undefined ? null : String(value)

/** Quantity x list price, where one is written beside the price. */
const listOf = (charge: Row, amount: bigint): bigint => {
  const [, , , , , more = '{}'] = JSON.parse(String(charge['name']))
  const { list, multipliers = [] } = JSON.parse(more)
  if (list === undefined) return amount
  if (multipliers.length > 0) throw new Error('A charge of these has no multipliers.')
  const plain = multiply(quantityOf(String(charge['quantity'])), parseDecimal(list.unitPrice))
  return post(divide(plain, rational(BigInt(list.per))))
}

const quantityOf = (written: string): Rational => {
  const [numerator = '0', denominator = '1'] = written.split('/')
  return rational(BigInt(numerator), BigInt(denominator))
}
