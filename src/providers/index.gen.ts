// The providers of this folder, one a file. Generated: run `npm run generate` after adding a file.
import { openaiCompatible } from './openai-compatible.ts'
import { openai } from './openai.ts'
import type { Provider } from './provider.ts'

/** Every provider Octroi knows, by id. */
export const providers: Readonly<Record<string, Provider>> = {
  'openai-compatible': openaiCompatible,
  openai,
}
