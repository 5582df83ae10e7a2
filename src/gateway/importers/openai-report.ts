import { member, textOf } from '../../endpoints/json.ts'
import { type PagedImporter, readBucketPage } from './pages.ts'

/** What all reports of OpenAI's Admin API share (openai/openai-openapi, 2026-08-21). Lists in a query are written as
 * its official client writes them. */
export const openaiReport = {
  provider: 'openai',
  baseUrl: 'https://api.openai.com/v1',
  keyVariable: 'OPENAI_ADMIN_KEY',
  headers: (key) => ({ authorization: `Bearer ${key}` }),
  query: ({ from, to, width, limit, groups }) => [
    ['start_time', `${Math.floor(from / 1000)}`],
    ['end_time', `${Math.ceil(to / 1000)}`],
    ['bucket_width', width],
    ['limit', `${limit}`],
    ...groups.map((group) => ['group_by[]', group] as const),
  ],
  readPage: (page, place) =>
    // Copies of the description from before 2026 call the list `result`.
    readBucketPage(page, place, { from: 'start_time', to: 'end_time', results: ['results', 'result'] }),
} as const satisfies Partial<PagedImporter>

/** A field of a result that is text, or null. */
export const field = (result: unknown, name: string): string | null => textOf(member(result, name))
