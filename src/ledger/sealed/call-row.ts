import type { CallLife, CallRow } from '../reading.ts'

/** What stands of a call: null where its cost is not known, or it was not billed. */
export const callRowOf = (life: CallLife | null): CallRow | null => {
  const settlement = life?.ends.at(-1)
  if (life === null || settlement === undefined) return null
  if (settlement.kind !== 'settled' && settlement.kind !== 'adjusted') return null
  const { call } = life.reserved
  return { call: { ...call, conversation: settlement.conversation ?? call.conversation }, settlement }
}
