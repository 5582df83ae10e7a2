import type { AccruedRow, CallRow } from '../ledger/reading.ts'

/** Which conversations are wanted: those of a name, of a team, of an assistant; all where nothing is said. */
export type ConversationAsked = {
  readonly conversation?: string
  readonly team?: string
  /** The value of the tag `assistant`, or whom something is kept for. */
  readonly assistant?: string
}

type Owner = Pick<CallRow['call'], 'team' | 'conversation' | 'tags'>

/** Whether a call is wanted, or what accrued, of which `holder` says for whom. */
export const isAsked = (asked: ConversationAsked, owner: Owner, holder: string | null = null): boolean =>
  (asked.conversation === undefined || asked.conversation === owner.conversation) &&
  (asked.team === undefined || asked.team === owner.team) &&
  (asked.assistant === undefined || asked.assistant === holderOf(owner) || asked.assistant === holder)

/** The assistant of a call, as it is tagged. */
export const holderOf = ({ tags }: Pick<Owner, 'tags'>): string | null => tags['assistant'] ?? null

/** What tells conversations apart: two teams may use one name, and one name has a sum in each currency. */
export type ConversationName = Pick<CallRow['call'], 'organization' | 'team' | 'conversation'> &
  Pick<AccruedRow, 'currency'>

/** A conversation's name as one text. */
export const conversationKey = ({ organization, team, conversation, currency }: ConversationName): string =>
  JSON.stringify([organization, team, conversation, currency])
