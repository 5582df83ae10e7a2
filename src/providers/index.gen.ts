// The providers of this folder, one a file. Generated: run `npm run generate` after adding a file.
import { anthropic } from './anthropic.ts'
import { azureOpenai } from './azure-openai.ts'
import { bedrock } from './bedrock.ts'
import { deepseek } from './deepseek.ts'
import { google } from './google.ts'
import { groq } from './groq.ts'
import { mistral } from './mistral.ts'
import { ollama } from './ollama.ts'
import { openaiCompatible } from './openai-compatible.ts'
import { openai } from './openai.ts'
import { openrouter } from './openrouter.ts'
import { vertex } from './vertex.ts'
import { vllm } from './vllm.ts'
import { xai } from './xai.ts'
import type { Provider } from './provider.ts'

/** Every provider Octroi knows, by id. */
export const providers: Readonly<Record<string, Provider>> = {
  anthropic,
  'azure-openai': azureOpenai,
  bedrock,
  deepseek,
  google,
  groq,
  mistral,
  ollama,
  'openai-compatible': openaiCompatible,
  openai,
  openrouter,
  vertex,
  vllm,
  xai,
}
