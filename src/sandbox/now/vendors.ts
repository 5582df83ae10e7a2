import { loadEncoding } from '../../tokens/text.ts'
import type { RawPriceRow } from '../books.ts'
import type { Face } from '../face.ts'
import { files } from '../files.ts'
import type { WireRoute, World } from '../world.ts'
import { anthropicFace } from './anthropic-face.ts'
import { anthropicReports } from './anthropic-reports.ts'
import type { OpenBill } from './bill.ts'
import type { Callers } from './callers.ts'
import { openCatalogue } from './catalogue.ts'
import { chatCompletions } from './chat-completions.ts'
import { embeddings } from './embeddings.ts'
import { generateContent } from './generate-content.ts'
import { googleFace } from './google-face.ts'
import { images } from './images.ts'
import type { LiveWorld } from './live-world.ts'
import { messages } from './messages.ts'
import { moderations } from './moderations.ts'
import { openaiModels } from './openai-models.ts'
import { organizationNow } from './organization.ts'
import { openPromptCache } from './prompt-cache.ts'
import { responses } from './responses.ts'
import { speech } from './speech.ts'
import { transcriptions } from './transcriptions.ts'

/** The vendors of today, on one server: OpenAI under `/v1`, Anthropic under `/anthropic`, Google under `/google`.
 * `facts` are the model facts of `prices/models/*.json`, raw. */
export const vendorsNow = async (
  world: World,
  {
    facts,
    prices,
    keys,
    adminKeys,
    callers,
    bill,
  }: {
    readonly facts: readonly unknown[]
    readonly prices: readonly RawPriceRow[]
    readonly keys: ReadonlySet<string> | null
    readonly adminKeys: ReadonlySet<string> | null
    readonly callers: Callers
    readonly bill: OpenBill
  },
): Promise<{ readonly routes: readonly WireRoute[]; readonly faces: readonly Face[] }> => {
  const live: LiveWorld = {
    ...world,
    callers,
    catalogue: openCatalogue(facts, prices),
    cache: openPromptCache(),
    newCounter: await loadEncoding('o200k_base'),
  }
  return {
    routes: [
      ...chatCompletions(live),
      ...responses(live),
      ...embeddings(live),
      ...images(live),
      ...speech(live),
      ...transcriptions(live),
      ...moderations(live),
      ...openaiModels(live),
      ...files(live),
      ...messages(live),
      ...generateContent(live),
      ...organizationNow(live, bill),
      ...anthropicReports(live, bill),
    ],
    faces: [anthropicFace({ clock: live.clock, keys, adminKeys }), googleFace({ keys })],
  }
}
