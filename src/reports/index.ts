/** Reports over rows of the ledger, as pure functions. `octroi/reports`. */
export { type ConversationFold, type ConversationSpend, createConversationFold } from './conversations.ts'
export { formatShare, shareOf } from './share.ts'
export { type SpendDimension, type SpendGroup, type SpendReport, spend, spendDimensions } from './spend.ts'
