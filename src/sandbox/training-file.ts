import { setImmediate as breathe } from 'node:timers/promises'
import { countChat } from '../tokens/chat.ts'
import type { Counter } from '../tokens/text.ts'
import { type Fields, isFields } from './world.ts'

/** A training file, read: how many examples it has and what one pass over it counts; or why it cannot be used, as
 * the vendor says it of a job. */
export type Training =
  | { readonly examples: number; readonly tokens: number }
  | { readonly code: string; readonly message: string }

/** What can be fine-tuned: how its examples look, and of how many tokens the rest is cut off (OpenAI's fine-tuning
 * guide of that winter; for the completion models, their window). */
export type TunableModel = {
  readonly id: string
  readonly form: 'chat' | 'completion'
  readonly exampleTokensMax: number
}

const examplesLeast = 10

/** Reads a training file in slices: a large one stalls nobody. Tokens are counted as openai-cookbook's
 * `Chat_finetuning_data_prep` counts what is billed: each example as a prompt, up to the longest that is trained on.
 * Refusals: of fewer than ten examples openai-php/client (`invalid_n_examples`); of a role that is missing, a job of
 * 2024-02-26; of a line without an assistant, as the upload page says it; "Unexpected file format" likewise. The
 * words for a file of the other form are in their manner. */
export const readTraining = async (
  file: { readonly id: string; readonly bytes: Uint8Array },
  model: TunableModel,
  counter: Counter,
): Promise<Training> => {
  const lines = Buffer.from(file.bytes).toString().split('\n')
  let [examples, tokens, since] = [0, 0, performance.now()]
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue
    if (performance.now() - since > sliceMs) {
      await breathe()
      since = performance.now()
    }
    const example = parsed(line)
    const wrong =
      example === null ? notDictionary(index) : problemOf(example, index, { model, file: file.id })
    if (example === null || wrong !== null) {
      return { code: 'invalid_training_file', message: `${invalidFile} ${wrong}` }
    }
    examples += 1
    tokens += Math.min(tokensOf(example, model, counter), model.exampleTokensMax)
  }
  if (examples >= examplesLeast) return { examples, tokens }
  return {
    code: 'invalid_n_examples',
    message: `Training file has ${examples} example(s), but must have at least ${examplesLeast} examples`,
  }
}

const sliceMs = 10

const invalidFile = 'The job failed due to an invalid training file.'

const notDictionary = (index: number): string =>
  'Expected file to have JSONL format, where every line is a JSON dictionary. ' +
  `Line ${index + 1} is not a dictionary.`

const parsed = (line: string): Fields | null => {
  try {
    const value: unknown = JSON.parse(line)
    return isFields(value) ? value : null
  } catch {
    return null
  }
}

const problemOf = (
  example: Fields,
  index: number,
  { model, file }: { readonly model: TunableModel; readonly file: string },
): string | null => {
  const { messages, prompt, completion } = example
  const pair = typeof prompt === 'string' && typeof completion === 'string'
  if (!Array.isArray(messages) && !pair) {
    return 'Unexpected file format, expected either prompt/completion pairs or chat messages.'
  }
  if (Array.isArray(messages) !== (model.form === 'chat')) {
    const needed = model.form === 'chat' ? 'chat messages' : 'prompt/completion pairs'
    return `Invalid file format. Input file ${file} must have ${needed} to train ${model.id}.`
  }
  if (!Array.isArray(messages)) return null
  const roleless = messages.findIndex((message) => !isFields(message) || typeof message['role'] !== 'string')
  if (roleless >= 0) {
    return (
      `Invalid file format. Example ${index + 1}, message ${roleless + 1} ` +
      "Discriminator 'role' is missing in value"
    )
  }
  const answered = messages.some((message) => isFields(message) && message['role'] === 'assistant')
  if (answered) return null
  return `Invalid file format. Line ${index + 1}, key "messages": At least one message must be from the assistant.`
}

const tokensOf = (example: Fields, model: TunableModel, counter: Counter): number => {
  if (model.form === 'chat')
    return countChat({ model: model.id, messages: example['messages'] }, counter).tokens
  return counter.count(String(example['prompt'])) + counter.count(String(example['completion']))
}
