import { z } from 'zod'
import { adjustmentsRequest } from '../adjustments.ts'
import { importsRequest } from '../imports.ts'
import { endUser, keyRequest, providerKey, rotation } from '../key-requests.ts'
import { parametersOf } from '../reporting/asked.ts'
import { focusPath, focusQuery } from '../reporting/focus-route.ts'
import { closeAnswer, closeRequest, periodsAnswer, periodsQuery } from '../reporting/reconciliation-close.ts'
import { rerateAnswer } from '../reporting/rerate-answer.ts'
import { reratePath, rerateRequest } from '../reporting/rerate-route.ts'
import { pruneRequest, sealRequest, thawRequest } from '../sealed-days.ts'
import {
  adjustedAnswer,
  alertsAnswer,
  aliveAnswer,
  forgottenAnswer,
  importedAnswer,
  keyChangedAnswer,
  keySecretAnswer,
  keysAnswer,
  limitsAnswer,
  nothingAnswer,
  policyAnswer,
  policyRequest,
  providerKeysAnswer,
  prunedAnswer,
  pseudonymAnswer,
  readyAnswer,
  sealedAnswer,
  thawedAnswer,
} from './answers.ts'
import { type Operations, unread } from './operation.ts'
import { reportOperations } from './report-operations.ts'

/** What the control plane answers. */
export const controlOperations: Operations = {
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
  'POST /octroi/v1/imports': {
    summary: "Post lines of a vendor's report: what of each did not pass the gateway becomes spend",
    body: importsRequest,
    answers: { 200: importedAnswer },
    errors: ['period_closed', 'ledger_unavailable'],
    examples: [{ lines: [] }],
  },
  'GET /octroi/v1/periods': {
    summary: "List closed periods of vendors' bills, and what was corrected in them since",
    query: parametersOf(periodsQuery),
    answers: { 200: periodsAnswer },
    errors: ['bad_input', 'overloaded', 'ledger_unavailable'],
  },
  'POST /octroi/v1/periods': {
    summary: "Close a period of a vendor's bill, once its reconciliation explains every gap",
    body: closeRequest,
    answers: { 200: closeAnswer },
    errors: ['bad_instant', 'bill_unexplained', 'period_closed', 'ledger_unavailable'],
    examples: [{ provider: 'openai', from: '2025-05-01', to: '2025-06-01', acceptGap: 'no bill yet' }],
  },
  [`POST ${reratePath}`]: {
    summary: 'Price a past period anew by corrected prices; nothing is written unless asked',
    body: rerateRequest,
    answers: { 200: rerateAnswer },
    errors: ['rerate_running', 'ledger_corrupt', 'ledger_unavailable', 'overloaded'],
    examples: [
      { from: '2023-11-15', to: '2023-11-16' },
      {
        ...{ from: '2023-11-15', to: '2023-11-16', provider: 'openai', model: 'gpt-4-1106-preview' },
        correction: { schema: 'octroi-prices/1', provider: 'openai', prices: [] },
        apply: true,
      },
    ],
  },
  'POST /octroi/v1/sealed-days/seal': {
    summary: 'Seal days that are over into columnar files',
    body: sealRequest,
    answers: { 200: sealedAnswer },
    errors: ['bad_instant', 'ledger_unavailable'],
    examples: [{ afterHours: 48 }],
  },
  'POST /octroi/v1/sealed-days/prune': {
    summary: 'Leave the calls of older sealed days to their files',
    body: pruneRequest,
    answers: { 200: prunedAnswer },
    errors: ['ledger_corrupt', 'ledger_unavailable'],
    examples: [{ keepDays: 90 }],
  },
  'POST /octroi/v1/sealed-days/thaw': {
    summary: 'Put calls of a sealed day back into the ledger, to correct them',
    body: thawRequest,
    answers: { 200: thawedAnswer },
    errors: ['bad_instant', 'ledger_corrupt', 'ledger_unavailable'],
    examples: [{ day: '2023-11-15', callIds: [] }],
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
  [`GET ${focusPath}`]: {
    summary: 'Spend as FOCUS Cost and Usage, as CSV or JSON Lines',
    query: parametersOf(focusQuery),
    answers: { 200: null },
    errors: ['bad_input', 'overloaded', 'ledger_unavailable'],
  },
  ...reportOperations,
}
