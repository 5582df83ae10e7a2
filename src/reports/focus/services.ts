/** How FOCUS names who sells a service and who runs it. */
export type Service = {
  /** ServiceName. */
  readonly service: string
  /** ServiceProviderName, and in 1.2 ProviderName and PublisherName: who makes it available. It sends the bill. */
  readonly provider: string
  /** HostProviderName: whose machines it runs on. */
  readonly host: string
}

const own = (service: string, provider: string): Service => ({ service, provider, host: provider })

/** By the id of the provider here. The names are those that the vendors give themselves and their APIs. */
const services: Readonly<Record<string, Service>> = {
  anthropic: own('Claude API', 'Anthropic'),
  'azure-openai': own('Azure OpenAI', 'Microsoft'),
  bedrock: own('Amazon Bedrock', 'AWS'),
  cohere: own('Cohere API', 'Cohere'),
  deepseek: own('DeepSeek API', 'DeepSeek'),
  google: own('Gemini API', 'Google'),
  groq: own('Groq API', 'Groq'),
  mistral: own('Mistral API', 'Mistral AI'),
  openai: own('OpenAI API', 'OpenAI'),
  openrouter: own('OpenRouter API', 'OpenRouter'),
  vertex: own('Vertex AI', 'Google Cloud'),
  xai: own('xAI API', 'xAI'),
}

/** The names of a provider; one that is not known here, such as a host of the operator's own, goes by its id. */
export const serviceOf = (provider: string): Service =>
  (Object.hasOwn(services, provider) ? services[provider] : undefined) ?? own(provider, provider)
