import type OpenAI from 'openai'
import { toFile } from 'openai'
import { manualClock, parseInstant } from '../../time.ts'
import { openSandbox } from '../sandbox.fixture.ts'
import type { SandboxOptions } from '../sandbox.ts'

/** Noon of a day on which Assistants v2 and its models were there. */
const noon2024 = parseInstant('2024-11-15T12:00:00Z')

/** A sandbox of v2 for one test, its clock, and the official client of today. */
export const openV2 = async (options: Partial<SandboxOptions> = {}) => {
  const clock = manualClock(noon2024)
  const { sandbox, client } = await openSandbox({ clock, features: { assistants: 'v2' }, ...options })
  return { sandbox, client, clock }
}

/** Uploads a file for assistants. */
export const uploadText = async (client: OpenAI, content: string, name = 'facts.txt'): Promise<string> => {
  const file = await toFile(Buffer.from(content), name)
  return (await client.files.create({ file, purpose: 'assistants' })).id
}
