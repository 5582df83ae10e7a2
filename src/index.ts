/** The library: everything of Octroi that needs no machine of its own. It runs in a browser too. */
export { type ErrorCode, errorCodes, OctroiError } from './errors.ts'
export { type Admission, createAdmission, type Refused } from './limits/admit.ts'
export { burning, burnRate, burnRules } from './limits/burn-rate.ts'
export { largestThatFits } from './limits/clamp.ts'
export type { Balance, Hold } from './limits/hold.ts'
export type { Limit } from './limits/limit.ts'
export { limitsOfVendor } from './limits/limits-of-vendor.ts'
export { parseLimit, parseLimits } from './limits/parse-limit.ts'
export type { LimitSubject } from './limits/pattern.ts'
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
export { type Plan, plan } from './planning/conversation.ts'
export type { PlanTotal } from './planning/plan-cost.ts'
export { type PlanRequest, parsePlanRequest } from './planning/plan-request.ts'
export type { PlannedTurn } from './planning/plan-turns.ts'
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
export { type AudioCount, charactersOf, countAudio } from './tokens/audio.ts'
export {
  type AudioDuration,
  type AudioParser,
  type AudioProblem,
  durationOf,
} from './tokens/audio-duration.ts'
export { countGenerateContent, countMessages } from './tokens/calibrated.ts'
export { countChat, type PromptCount } from './tokens/chat.ts'
export { countDocument, type DocumentCount } from './tokens/document.ts'
export { type DocumentPages, type DocumentProblem, pagesOf } from './tokens/document-pages.ts'
export { countImage, type ImageCount, imageAtMost, type ShownImage } from './tokens/image.ts'
export { type ImageProblem, type ImageSize, sizeOfImage } from './tokens/image-size.ts'
export {
  type RealtimeTokens,
  type RealtimeTurn,
  realtimeInputMax,
  realtimeInputs,
} from './tokens/realtime.ts'
export { countResponses } from './tokens/responses.ts'
export { type Counter, encodingOf, loadEncoding } from './tokens/text.ts'
export { countVideo, type VideoCount } from './tokens/video.ts'
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
