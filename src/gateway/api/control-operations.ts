import { z } from 'zod'
import { adjustmentsRequest } from '../adjustments.ts'
import { endUser, keyRequest, providerKey, rotation } from '../key-requests.ts'
import {
  adjustedAnswer,
  alertsAnswer,
  aliveAnswer,
  forgottenAnswer,
  keyChangedAnswer,
  keySecretAnswer,
  keysAnswer,
  limitsAnswer,
  nothingAnswer,
  policyAnswer,
  policyRequest,
  providerKeysAnswer,
  pseudonymAnswer,
  readyAnswer,
} from './answers.ts'
import { type Operations, unread } from './operation.ts'

/** What the control plane answers. */
export const controlOperations = {
  'GET /healthz': { summary: 'Whether the process lives', answers: { 200: aliveAnswer }, errors: [] },
  'GET /readyz': {
    summary: 'Whether calls are taken and the ledger answers',
    answers: { 200: readyAnswer, 503: readyAnswer },
    errors: ['ledger_unavailable'],
  },
  'GET /metrics': {
    summary: 'Metrics in the text format of Prometheus',
    answers: { 200: null },
    errors: [],
  },
  'GET /octroi/v1/openapi.json': {
    summary: 'This description',
    answers: { 200: z.looseObject({ openapi: z.string() }) },
    errors: [],
  },
  'GET /octroi/v1/keys': { summary: 'All keys', answers: { 200: keysAnswer }, errors: [] },
  'POST /octroi/v1/keys': {
    summary: 'Create a key',
    body: keyRequest,
    answers: { 201: keySecretAnswer },
    errors: ['bad_instant', 'ledger_unavailable'],
    examples: [
      {},
      { name: 'search', team: 'search', models: ['gpt-4o*'], tags: { product: 'shop' } },
      { expiresAt: '2030-01-01', allowUnmetered: true, onLedgerFailure: { spool: '5.00' } },
    ],
  },
  'POST /octroi/v1/keys/{id}': {
    summary: 'Change what is named of a key, and leave the rest',
    body: keyRequest,
    answers: { 200: keyChangedAnswer },
    errors: ['bad_instant', 'unknown_object', 'ledger_unavailable'],
    examples: [{ team: 'ads', models: null }],
  },
  'POST /octroi/v1/keys/{id}/rotate': {
    summary: 'Give a key another secret',
    body: rotation,
    answers: { 201: keySecretAnswer },
    errors: ['unknown_object', 'ledger_unavailable'],
    examples: [{ graceSeconds: 86_400 }],
  },
  'POST /octroi/v1/keys/{id}/revoke': {
    summary: 'End a key',
    body: unread,
    answers: { 200: keyChangedAnswer },
    errors: ['unknown_object', 'ledger_unavailable'],
    examples: [{}],
  },
  'POST /octroi/v1/end-users/find': {
    summary: 'The pseudonym of an end user',
    body: endUser,
    answers: { 200: pseudonymAnswer },
    errors: ['ledger_unavailable'],
    examples: [{ endUser: 'ada@example.org' }],
  },
  'POST /octroi/v1/end-users/forget': {
    summary: 'Delete whom a pseudonym stands for',
    body: endUser,
    answers: { 200: forgottenAnswer },
    errors: ['ledger_unavailable'],
    examples: [{ endUser: 'ada@example.org' }],
  },
  'POST /octroi/v1/adjustments': {
    summary: 'Correct settled calls, as a reconciliation does',
    body: adjustmentsRequest,
    answers: { 200: adjustedAnswer },
    errors: ['currency_mismatch', 'ledger_unavailable'],
    examples: [{ adjustments: [] }],
  },
  'GET /octroi/v1/policy': {
    summary: 'The limits and rules that hold, and their version',
    answers: { 200: policyAnswer },
    errors: [],
  },
  'PUT /octroi/v1/policy': {
    summary: 'Replace limits and rules, as a whole or not at all; it holds until the gateway ends',
    body: policyRequest,
    answers: { 200: policyAnswer },
    errors: ['policy_outdated', 'ledger_unavailable'],
    header: {
      name: 'If-Match',
      description: 'The version that the change is based on. Where another one holds, it is refused.',
    },
    examples: [
      {
        limits: [{ name: 'month', measure: 'cost', cap: '500.00', window: { calendar: 'month' } }],
        historyCaps: [{ match: { team: 'search' }, lastMessages: 20 }],
        unmetered: { default: 'refuse', paths: { '/agents/*': 'pass' } },
      },
      {
        limits: [
          {
            name: 'pace',
            match: { team: ['search', 'ads'], model: 'gpt-*' },
            each: ['key'],
            measure: 'requests',
            cap: '60',
            window: { bucket: '1m' },
            action: 'wait',
          },
        ],
      },
    ],
  },
  'GET /octroi/v1/provider-keys': {
    summary: 'Which vendors have a stored key',
    answers: { 200: providerKeysAnswer },
    errors: [],
  },
  'POST /octroi/v1/provider-keys/{name}': {
    summary: "Store a vendor's key, sealed",
    body: providerKey,
    answers: { 200: nothingAnswer },
    errors: ['ledger_unavailable'],
    examples: [{ key: 'sk-a-vendors-key-0123456789' }],
  },
  'POST /octroi/v1/provider-keys/{name}/remove': {
    summary: "Remove a vendor's stored key",
    body: unread,
    answers: { 200: nothingAnswer },
    errors: ['unknown_object', 'ledger_unavailable'],
    examples: [{}],
  },
  'GET /octroi/v1/alerts': {
    summary: 'The last alerts, and what became of them at each receiver',
    answers: { 200: alertsAnswer },
    errors: ['ledger_unavailable'],
  },
  'POST /octroi/v1/alerts/test': {
    summary: 'Send an alert that is about nothing to every receiver',
    body: unread,
    answers: { 200: alertsAnswer },
    errors: ['ledger_unavailable'],
    examples: [{}],
  },
  'GET /octroi/v1/limits': {
    summary: 'Where every limit stands',
    answers: { 200: limitsAnswer },
    errors: [],
  },
} as const satisfies Operations
