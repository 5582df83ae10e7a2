import { answerTokensLeast } from '../endpoints/output-limit.ts'
import type { Admission, Admitted, Asked } from '../limits/admit.ts'
import { largestThatFits } from '../limits/clamp.ts'
import type { Used } from '../limits/measure.ts'
import type { Picos } from '../money/money.ts'
import { meterFacts } from '../usage/meter.ts'
import type { Usage } from '../usage/usage.ts'

/** What a call came to, as the ledger knows it. */
export type Truth = {
  readonly cost: Picos
  readonly used: Used
  readonly output: { readonly tokens: bigint; readonly amount: Picos }
}

/** A call whose output would have been lowered: to how many tokens, and what it would then have come to. */
export type ReplayedClamp = {
  readonly admitted: Admitted
  readonly outputTokens: number
  readonly truth: Pick<Truth, 'cost' | 'used'>
}

/** Admits a call that does not fit under the largest output for which it would have fitted; null where there is none,
 * or nothing is known of its output. All its output is taken at the price it had on average, and its input as it came. */
export const admitLowered = (
  admission: Pick<Admission, 'admit' | 'look'>,
  asked: Asked,
  truth: Truth,
): ReplayedClamp | null => {
  const { tokens, amount } = truth.output
  if (asked.most === null || tokens <= 0n || amount <= 0n) return null
  const besides = truth.cost - amount
  const costOf = (outputTokens: bigint): Picos => besides + (amount * outputTokens + tokens - 1n) / tokens
  const askedWith = (outputTokens: number): Asked => ({
    ...asked,
    most: costOf(BigInt(outputTokens)),
    ...(asked.quote && {
      quote: { ...asked.quote, usage: withOutput(asked.quote.usage, outputTokens) },
    }),
  })
  const outputMost = ((asked.most - besides) * tokens) / amount
  const range = { floor: answerTokensLeast, asked: Number(outputMost > 0n ? outputMost : 0n) }
  const outputTokens = largestThatFits(range, (limit) => admission.look(askedWith(limit)) === null)
  if (outputTokens === null) return null
  const admitted = admission.admit(askedWith(outputTokens))
  if (!admitted.admitted) return null
  const came = tokens < BigInt(outputTokens) ? tokens : BigInt(outputTokens)
  return { admitted, outputTokens, truth: { cost: costOf(came), used: usedWith(truth.used, tokens - came) } }
}

/** The output in tokens, and what it cost. */
export const outputOf = (
  charges: readonly { readonly meter: string; readonly quantity: unknown; readonly amount: Picos }[],
): Truth['output'] => {
  let [tokens, amount] = [0n, 0n]
  for (const charge of charges) {
    if (!isOutput(charge.meter) || typeof charge.quantity !== 'number') continue
    tokens += BigInt(Math.ceil(charge.quantity))
    amount += charge.amount
  }
  return { tokens, amount }
}

const isOutput = (meter: string): boolean => {
  const { unit, direction } = meterFacts(meter as keyof Usage)
  return unit === 'token' && direction === 'output'
}

const withOutput = (usage: NonNullable<Asked['quote']>['usage'], outputTokens: number) => [
  ...usage.filter(({ meters: [meter] }) => !isOutput(meter)),
  { meters: ['output_text_tokens'] as const, least: 0, most: outputTokens },
]

const usedWith = (used: Used, saved: bigint): Used => ({
  ...used,
  ...(used.output_tokens !== undefined && { output_tokens: used.output_tokens - saved }),
  ...(used.tokens !== undefined && { tokens: used.tokens - saved }),
})
