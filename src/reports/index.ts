/** Reports over rows of the ledger, as pure functions. `octroi/reports`. */
export { type ConversationAsked, type ConversationName, conversationKey } from './conversation-asked.ts'
export {
  type CappedTurn,
  type CapSaving,
  capSavings,
  type HistoryCap,
  historyCaps,
} from './conversation-caps.ts'
export {
  type ConversationLine,
  type ConversationTurns,
  createTurnFold,
  type TurnFold,
} from './conversation-turns.ts'
export { type ConversationFold, type ConversationSpend, createConversationFold } from './conversations.ts'
export type { MeterSum } from './meter-sums.ts'
export { createPromotionFold, type PromotionFold, type PromotionRow } from './promotions.ts'
export { formatShare, shareOf } from './share.ts'
export {
  createSpendFold,
  type SpendAdder,
  type SpendAsked,
  type SpendFold,
  type SpendReport,
  spend,
} from './spend.ts'
export type { SpendChange } from './spend-change.ts'
export { type SpendDimension, spendDimensions } from './spend-dimensions.ts'
export type { SpendGroup } from './spend-group.ts'
export { formatWhere, parseWhere, type SpendWhere } from './spend-where.ts'
