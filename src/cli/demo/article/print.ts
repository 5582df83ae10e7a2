import { formatPicos, type Picos, parsePicos } from '../../../money/money.ts'
import { divide, format, rational } from '../../../money/rational.ts'
import { type Column, formatTable } from '../../table.ts'
import type { ArticleCase, ArticleDay } from './cases.ts'
import type { Climbed, Met } from './limits.ts'
import type { Figure } from './replay.ts'

/** A case, and what the ledger says of it. */
export type Outcome = Figure & { readonly asked: ArticleCase }

type Look = { readonly color: boolean }

/** The cases of a day: the article's figure, the ledger's, and the difference. Where a promotion stood between them,
 * at list prices as well. */
export const dayText = (day: ArticleDay, outcomes: readonly Outcome[], look: Look): string => {
  const note = day.note === undefined ? '' : `\n${day.note}\n`
  return `${day.at.slice(0, 10)}, ${day.title}\n\n${dayTable(outcomes, look)}${note}\n`
}

const dayTable = (outcomes: readonly Outcome[], look: Look): string => {
  const promoted = outcomes.some(({ asked }) => asked.listUsd !== undefined)
  const right = (title: string): Column => ({ title, align: 'right' })
  const columns = [
    { title: 'what was asked' },
    ...[right('article'), right('ledger'), right('difference')],
    ...(promoted ? [right('at list'), right('ledger'), right('difference')] : []),
  ]
  const rows = outcomes.map(({ asked, amount, list }) => [
    asked.statement,
    ...beside(asked.usd, amount),
    ...(promoted ? beside(asked.listUsd ?? asked.usd, list) : []),
  ])
  return formatTable(columns, rows, look)
}

const beside = (wanted: string, found: Picos): readonly string[] => [
  formatPicos(parsePicos(wanted)),
  formatPicos(found),
  formatPicos(found - parsePicos(wanted)),
]

/** The article's one error, from the outputs of 1,000 tokens in the ledger. */
export const erratumLines = (out: Readonly<Record<'turbo' | 'plain' | 'tuned', Picos>>): string => {
  const times = (other: Picos): string =>
    other === 0n ? '?' : format(divide(rational(out.turbo), rational(other)))
  return [
    'Erratum: the article says that the output of GPT-4 Turbo costs five times that of GPT-3.5 Turbo.',
    `By the ledger it is ${times(out.plain)} times, and ${times(out.tuned)} times that of the fine-tuned GPT-3.5 Turbo.`,
    '',
  ].join('\n')
}

/** What ledger and vendor say of everything together, in US dollars. */
export type Books = { readonly ledger: Picos; readonly vendor: Picos }

export const booksLine = ({ ledger, vendor }: Books): string =>
  `In all: ${formatPicos(ledger)} USD in the ledger, ${formatPicos(vendor)} in the sandbox's own books, ` +
  `${formatPicos(ledger - vendor)} between them.\n`

/** The limits that were met, the tiers that were climbed, and what could not be bought. */
export const limitsText = (
  found: {
    readonly met: readonly Met[]
    readonly climbed: readonly Climbed[]
    /** The vendor's words and the price book's; null where it could be bought. */
    readonly refusal: string | null
    readonly unpriced: string | null
  },
  look: Look,
): string => {
  const { met, climbed, refusal, unpriced } = found
  const said = met.map(({ limit, message }) => `  ${limit.statement}\n    "${message}"\n`).join('')
  return [
    `2023-11-15, the limits of the article\n\n${limitTable(met, look)}`,
    `In the vendor's words\n\n${said}`,
    `A paid-up account rises\n\n${tierTable(climbed, look)}`,
    `Fine-tuning of GPT-4\n\n  the vendor: "${refusal ?? 'done'}"\n  the price book: "${unpriced ?? 'priced'}"\n`,
  ].join('\n')
}

const limitTable = (met: readonly Met[], look: Look): string =>
  formatTable(
    [
      { title: 'limit' },
      { title: 'refused', align: 'right' },
      { title: 'USD before it', align: 'right' },
      { title: 'ledger', align: 'right' },
      { title: 'difference', align: 'right' },
    ],
    met.map(({ limit, request, amount }) => [
      limit.statement,
      request === null ? 'none' : `no. ${request}`,
      ...beside(limit.usd, amount),
    ]),
    look,
  )

const tierTable = (climbed: readonly Climbed[], look: Look): string =>
  formatTable(
    [{ title: 'account' }, { title: 'tier' }, { title: 'tokens a minute of GPT-4', align: 'right' }],
    climbed.map(({ statement, tier, tokensAMinute }) => [statement, tier, tokensAMinute]),
    look,
  )
