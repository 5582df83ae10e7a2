import { type Asked, createAdmission } from './admit.ts'
import type { Hold } from './hold.ts'
import { parseLimit } from './parse-limit.ts'
import type { LimitSubject } from './pattern.ts'

/** A call as limits see it. */
const subjectOf = (more: Partial<LimitSubject> = {}): LimitSubject => ({
  organization: null,
  team: 'search',
  project: null,
  environment: null,
  key: null,
  endUser: null,
  provider: 'openai',
  model: 'gpt-4',
  endpoint: 'chat-completions',
  conversation: null,
  tags: {},
  ...more,
})

/** An admission of limits as written in a policy. */
export const admissionOf = (...limits: readonly object[]) => createAdmission(limits.map(parseLimit), [])

/** A call that can use at most so many output tokens, and cost as many picos. */
export const askFor = (tokens: number, at: number, more: Partial<LimitSubject> = {}): Asked => ({
  subject: subjectOf(more),
  at,
  most: BigInt(tokens),
  quote: {
    usage: [{ meters: ['output_text_tokens'], least: 0, most: tokens }],
    unpriced: [],
    pricedMost: BigInt(tokens),
  },
  currency: 'USD',
})

/** Asks, and gives the holds of a call that is admitted. Throws where it is not. */
export const holdsOf = (admission: ReturnType<typeof createAdmission>, asked: Asked): readonly Hold[] => {
  const decision = admission.admit(asked)
  if (!decision.admitted) throw new Error(`refused by ${decision.limit}: ${decision.reason}`)
  return decision.holds
}
