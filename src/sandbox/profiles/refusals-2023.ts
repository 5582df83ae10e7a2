import { shown } from '../arguments.ts'
import { Refusal } from '../refusal.ts'
import type { Refusals } from './profile.ts'

/** The vendor's refusals of late 2023, word for word where a published copy was found; the copy is named.
 * Where none was, the text is written in the manner of its neighbours and the comment says so. */
export const refusals2023: Refusals = {
  // `GET /v1/models` without a key, as guides of 2023 print it; the misspelling is the vendor's.
  noKey: () =>
    new Refusal(
      401,
      "You didn't provide an API key. You need to provide your API key in an Authorization header using " +
        'Bearer auth (i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) ' +
        "if you're accesing the API from your browser and are prompted for a username and password. You can " +
        'obtain an API key from https://platform.openai.com/account/api-keys.',
    ),
  // chatanywhere/GPT_API_free issue 62, 2023-07-18.
  wrongKey: (key) =>
    new Refusal(
      401,
      `Incorrect API key provided: ${masked(key)}. You can find your API key at ` +
        'https://platform.openai.com/account/api-keys.',
      { code: 'invalid_api_key' },
    ),
  // swordintent/chatgpt-web-api issue 11, 2023-03-03; the same in MoneyPrinterTurbo issue 57, 2024-03-25.
  unknownUrl: ({ method, path }) => new Refusal(404, `Invalid URL (${method} ${path})`),
  // chatbox issue 812, 2023-07-03.
  brokenJson: () =>
    new Refusal(
      400,
      "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your " +
        'HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid ' +
        'JSON. If you have trouble figuring out how to fix this, please contact us through our help center ' +
        'at help.openai.com.)',
    ),
  // The long form: skorokithakis/sysaidmin issue 6, 2023-11-30. The short one is that of other models.
  unknownModel: (model) =>
    new Refusal(
      404,
      `The model \`${model}\` does not exist` +
        (model.startsWith('gpt-4')
          ? ' or you do not have access to it. Learn more: ' +
            'https://help.openai.com/en/articles/7102672-how-can-i-access-gpt-4.'
          : ''),
      { code: 'model_not_found' },
    ),
  // openai-assistants-quickstart issue 1, 2024-05-01.
  unknownModelOfAssistant: (model) =>
    new Refusal(400, `The requested model '${model}' does not exist.`, {
      param: 'model',
      code: 'model_not_found',
    }),
  // kirara-ai issue 800, 2023-05-11.
  noModel: () => new Refusal(400, 'you must provide a model parameter'),
  // As the tests of many clients hold it; LiteLLM and others match its first sentence.
  notForChat: () =>
    new Refusal(
      404,
      'This is not a chat model and thus not supported in the v1/chat/completions endpoint. Did you mean to ' +
        'use v1/completions?',
      { param: 'model' },
    ),
  // One: dify issue 4634 and AI0x0.com issue 360 (2023-06-16, `functions`). Several: langchain issue 8593.
  unknownArguments: (names) =>
    new Refusal(
      400,
      `Unrecognized request argument${names.length === 1 ? '' : 's'} supplied: ${names.join(', ')}`,
    ),
  // LibreChat issue 1571, 2024-01-17; Quivr issue 505, 2023-07-04.
  contextExceeded: ({ window, prompt, completion }) =>
    new Refusal(
      400,
      `This model's maximum context length is ${window} tokens. However, ` +
        (completion === null
          ? `your messages resulted in ${prompt} tokens. Please reduce the length of the messages.`
          : `you requested ${prompt + completion} tokens (${prompt} in the messages, ${completion} in the ` +
            'completion). Please reduce the length of the messages or completion.'),
      { param: 'messages', code: 'context_length_exceeded' },
    ),
  // NextChat issue 3195, 2023-11-08.
  outputTooLarge: ({ asked, cap }) =>
    new Refusal(
      400,
      `max_tokens is too large: ${asked}. This model supports at most ${cap} completion tokens, whereas ` +
        `you provided ${asked}.`,
      { param: 'max_tokens' },
    ),
  // vllm issue 11629, 2025-01-29, of GPT-3.5; the first sentence in textgrad and roboflow, 2023-11-21.
  noImages: ({ message, part }) =>
    new Refusal(400, 'Invalid content type. image_url is only supported by certain models.', {
      param: `messages.[${message}].content.[${part}].type`,
    }),
  // openai-forward issue 91, 2023-11-16.
  noBeta: () =>
    new Refusal(
      400,
      "You must provide the 'OpenAI-Beta' header to access the Assistants API. Please try again by setting " +
        "the header 'OpenAI-Beta: assistants=v1'.",
      { code: 'invalid_beta' },
    ),
  // go-openai issue 562, 2023-11-11; several faults: go-openai issue 663, 2024-02-17.
  invalidRequest: (faults) =>
    new Refusal(
      400,
      `${faults.length} validation error${faults.length === 1 ? '' : 's'} for Request\n` +
        faults.map(({ place, message }) => `${place.join(' -> ')}\n  ${message}`).join('\n'),
    ),
  // openai-assistant-telegram issue 1, 2023-11-21, of an assistant; the others in its manner.
  notFound: ({ kind, id }) => new Refusal(404, `No ${kind} found with id '${id}'.`),
  // openai-python issue 1023, 2023-12-25.
  threadBusy: ({ thread, run }) =>
    new Refusal(400, `Can't add messages to ${thread} while a run ${run} is active.`),
  // TripBot issue 939, 2025-02-27.
  secondRun: ({ thread, run }) => new Refusal(400, `Thread ${thread} already has an active run ${run}.`),
  // As public clients match it: "Cannot cancel run with status 'cancelled'".
  cannotCancel: (status) => new Refusal(400, `Cannot cancel run with status '${status}'.`),
  // As quoted from the vendor in the notes of several clients.
  noToolOutputs: (status) => new Refusal(400, `Runs in status "${status}" do not accept tool outputs.`),
  // As printed in the notes of several clients of the winter of 2023, with param and code null.
  wrongToolOutputs: ({ expected, got }) =>
    new Refusal(400, `Expected tool outputs for call_ids ${quoted(expected)}, got ${quoted(got)}`),
  // No object: go-openai issue 432, 2023-07-10. An object of another type: as ComposioHQ issue 1829 (2025).
  badSchema: ({ name, schema }) =>
    new Refusal(
      400,
      typeof schema !== 'object' || schema === null || Array.isArray(schema)
        ? `Invalid schema for function '${name}': ${shown(schema)} is not of type 'object'`
        : `Invalid schema for function '${name}': schema must be a JSON Schema of 'type: "object"', got ` +
            `'type: "${'type' in schema ? String(schema.type).slice(0, 60) : 'None'}"'.`,
    ),
  // ChatDev issue 26, 2024-01-05; the same numbers and wait in ecoute issue 194.
  rateLimited: (model) =>
    new Refusal(
      429,
      `Rate limit reached for ${model} in organization org-sandbox on requests per min (RPM): Limit 3, ` +
        'Used 3, Requested 1. Please try again in 20s. Visit ' +
        'https://platform.openai.com/account/rate-limits to learn more.',
      { type: 'requests', code: 'rate_limit_exceeded' },
    ),
  // NextChat issue 3123, 2023-11-01, with type and code.
  quotaExceeded: () =>
    new Refusal(429, 'You exceeded your current quota, please check your plan and billing details.', {
      type: 'insufficient_quota',
      code: 'insufficient_quota',
    }),
  // LangBot issue 126, 2023-02-09.
  serverError: (status) =>
    new Refusal(status, 'The server had an error while processing your request. Sorry about that!', {
      type: 'server_error',
    }),
}

const quoted = (ids: readonly string[]): string => `[${ids.map((id) => `'${id}'`).join(', ')}]`

/** The vendor shows the first eight characters and the last four; a key too short for that is hidden. */
const masked = (key: string): string =>
  key.length < 16
    ? '*'.repeat(key.length)
    : `${key.slice(0, 8)}${'*'.repeat(Math.min(key.length - 12, 120))}${key.slice(-4)}`
