/** The library: everything of Octroi that needs no machine of its own. It runs in a browser too. */
export { type ErrorCode, errorCodes, OctroiError } from './errors.ts'
export { type Admission, createAdmission, type Refused } from './limits/admit.ts'
export type { Balance, Hold } from './limits/hold.ts'
export { type Limit, type LimitSubject, parseLimit } from './limits/limit.ts'
export { type CalendarWindow, type Period, windowOf } from './limits/window.ts'
export { formatPicos, type Money, type Picos, parsePicos, post, postedPlaces } from './money/money.ts'
export {
  add,
  compare,
  divide,
  format,
  multiply,
  parseDecimal,
  type Rational,
  rational,
  roundHalfEven,
  subtract,
  zero,
} from './money/rational.ts'
export { type Plan, type PlannedTurn, type PlanTotal, plan } from './planning/conversation.ts'
export { type PlanRequest, parsePlanRequest } from './planning/plan-request.ts'
export { type Quote, quote } from './planning/quote.ts'
export { type Sunset, successorOf, sunsets } from './pricing/lifecycle.ts'
export {
  type Confidence,
  findModel,
  type ModelFact,
  type ModelFacts,
  openModelFacts,
  type Stated,
} from './pricing/model-facts.ts'
export { type Charge, type Cost, type PricedCall, price, type Unpriced } from './pricing/price.ts'
export {
  openPriceBook,
  type Price,
  type PriceBook,
  type PriceFile,
  type PriceRow,
} from './pricing/price-book.ts'
export type { Rate } from './pricing/rate.ts'
export { type Clock, formatInstant, type Instant, manualClock, parseInstant } from './time.ts'
export { countChat, type PromptCount } from './tokens/chat.ts'
export { type Counter, encodingOf, loadEncoding } from './tokens/text.ts'
export {
  type ContainerRule,
  containerRule,
  containerSessions,
  containers,
  gigabyteDays,
  type Holding,
  instanceHours,
  postedDelta,
  type Session,
  sessions,
  tokenHours,
} from './usage/accrual.ts'
export { isMeter, type Meter, meterFacts, meterNames, meters, parseMeter } from './usage/meter.ts'
export { type Reading, readUsage, type UsageShape } from './usage/read.ts'
export type { Quantity, Usage } from './usage/usage.ts'
