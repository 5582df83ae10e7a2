import type { Call } from '../../src/ledger/entry.ts'
import type { Ledger } from '../../src/ledger/ledger.ts'
import type { Charge } from '../../src/pricing/price.ts'
import { parseInstant } from '../../src/time.ts'
import { exampleLine } from '../conformance/imports.ts'
import { exampleCall, exampleReservation, exampleSettlement } from '../conformance/ledger.ts'

const dayMs = 86_400_000

/** Who calls, with names that mean harm to a page; how often a day; and at what prices. */
const teams = [
  'search',
  'support',
  '<script>alert(1)</script>',
  'research & "ads"',
  'équipe données',
  null,
  'ops',
]
const models = [
  { provider: 'openai', model: 'gpt-4-1106-preview', input: 10n, output: 30n },
  { provider: 'anthropic', model: 'claude-2.1', input: 8n, output: 24n },
  { provider: 'openai', model: 'gpt-3.5-turbo-1106', input: 1n, output: 2n },
] as const

/** Two months of a company's spend, in October and in November 2023, a quarter of it estimated, some of it imported and
 * some without a price. */
export const fillBill = async (ledger: Ledger): Promise<void> => {
  const start = parseInstant('2023-10-01T09:00:00Z')
  let call = 0
  for (let day = 0; day < 61; day += 1) {
    const weekend = day % 7 === 0 || day % 7 === 6
    for (let index = 0; index < (weekend ? 3 : 9); index += 1) {
      call += 1
      const team = teams[Math.floor(((index * 5 + day) % 7) ** 2 / 6)] ?? null
      const { provider, model, input, output } =
        models[(index * (day < 31 ? 1 : 4) + (day % 5)) % 3] ?? models[0]
      const id = `call-${call}`
      const at = start + day * dayMs + index * 3_000_000
      const more: Partial<Call> = {
        ...{
          at,
          team,
          provider,
          model,
          key: `key_${index % 12}`,
          project: ['shop', 'care', null][index % 3] ?? null,
        },
      }
      const tokens = 40_000 + day * 900 + index * 5_000
      const charges = [
        charge('input_text_tokens', tokens, input + (day < 31 ? 1n : 0n)),
        charge('output_text_tokens', Math.floor(tokens / 4), output),
      ]
      await ledger.reserve({ ...exampleReservation(id, 60n, []), call: exampleCall(id, more) })
      await ledger.settle(
        exampleSettlement(id, 0n, {
          ...{ at: at + 2_000, charges, model, basis: index === 4 ? 'estimated' : 'measured' },
          unpriced:
            call === 400 ? [{ meter: 'image', quantity: 2, code: 'no_price', message: 'No price.' }] : [],
          resent: {
            tokens: Math.floor(tokens / 3),
            amount: (BigInt(tokens) * input * 1_000_000n) / 3n,
            exact: true,
          },
        }),
      )
    }
  }
  const from = parseInstant('2023-11-10T10:00:00Z')
  await ledger.imports.post([exampleLine('line-1', 1_250_000_000_000n, { from, to: from + 3_600_000 })])
}

/** So many tokens at a price in USD for a million. */
const charge = (meter: Charge['meter'], quantity: number, price: bigint): Charge => ({
  ...{ meter, quantity, unitPrice: `${price}`, per: 1_000_000 },
  exact: { numerator: BigInt(quantity) * price, denominator: 1_000_000n },
  amount: BigInt(quantity) * price * 1_000_000n,
  ...{ price: 'price-1', source: 'https://openai.com/pricing' },
})
