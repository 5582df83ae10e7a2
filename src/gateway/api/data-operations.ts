import {
  quoteAsked,
  releaseAsked,
  renewalAsked,
  reservationAsked,
  settlementAsked,
  usageAsked,
} from '../beside/asked.ts'
import { quoteAnswer, renewedAnswer, reservationAnswer } from './answers.ts'
import type { Operations } from './operation.ts'

const request = {
  model: 'gpt-4o',
  messages: [{ role: 'user', content: 'How much is it to call you?' }],
  max_tokens: 100,
}
const reply = { model: 'gpt-4o', usage: { prompt_tokens: 14, completion_tokens: 60 } }

const unmeasured = ['unknown_meter', 'bad_number'] as const
const notHere = ['unknown_provider', 'not_allowed'] as const

/** What the data port answers of Octroi's own, beside the wires of the vendors. */
export const dataOperations = {
  'POST /octroi/v1/quote': {
    summary: 'What a call can cost, and which limits are about it; nothing is held or sent',
    body: quoteAsked,
    answers: { 200: quoteAnswer },
    errors: [...notHere, 'unknown_object'],
    examples: [{ endpoint: 'chat-completions', request }],
  },
  'POST /octroi/v1/reservations': {
    summary: 'Hold what a call can cost; 200 where its id was held before',
    body: reservationAsked,
    answers: { 200: reservationAnswer, 201: reservationAnswer },
    errors: [
      ...[...notHere, ...unmeasured, 'unknown_object', 'budget_exceeded', 'rate_limited'],
      ...(['unbounded', 'unpriced', 'currency_mismatch', 'ledger_unavailable'] as const),
    ],
    examples: [
      { endpoint: 'chat-completions', request },
      {
        endpoint: 'batches',
        model: 'gpt-4o',
        usage: { input_text_tokens: 2_000, output_text_tokens: '500' },
      },
      { endpoint: 'realtime', model: 'gpt-4o', most: '0.50', id: 'session-17', leaseSeconds: 3_600 },
    ],
  },
  'GET /octroi/v1/reservations/{id}': {
    summary: 'A reservation as it stands',
    answers: { 200: reservationAnswer },
    errors: ['unknown_object'],
  },
  'POST /octroi/v1/reservations/{id}/settle': {
    summary: 'Book what it came to; the first end stands',
    body: settlementAsked,
    answers: { 200: reservationAnswer },
    errors: [...unmeasured, 'unknown_object', 'currency_mismatch', 'ledger_unavailable'],
    examples: [{ reply }, { usage: { input_text_tokens: 14 } }, { amount: '0.10', tier: 'default' }],
  },
  'POST /octroi/v1/reservations/{id}/release': {
    summary: 'Give it up: it was never sent',
    body: releaseAsked,
    answers: { 200: reservationAnswer },
    errors: ['unknown_object', 'ledger_unavailable'],
    examples: [{ reason: 'the job was withdrawn' }],
  },
  'POST /octroi/v1/reservations/{id}/renew': {
    summary: 'Lengthen its lease',
    body: renewalAsked,
    answers: { 200: renewedAnswer },
    errors: ['unknown_object', 'ledger_unavailable'],
    examples: [{ leaseSeconds: 600 }],
  },
  'POST /octroi/v1/usage': {
    summary: 'Book a call that was never reserved; 200 where its id was booked before',
    body: usageAsked,
    answers: { 200: reservationAnswer, 201: reservationAnswer },
    errors: [...notHere, ...unmeasured, 'currency_mismatch', 'ledger_unavailable'],
    examples: [
      { endpoint: 'batches', model: 'gpt-4o', usage: { input_text_tokens: 2_000 } },
      { endpoint: 'realtime', model: 'gpt-4o', amount: '0.25', id: 'session-18', endUser: 'ada' },
    ],
  },
} as const satisfies Operations

/** One of them, as `POST /octroi/v1/quote`. */
export type DataOperation = keyof typeof dataOperations
