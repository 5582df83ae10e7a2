import { formatInstant } from '../../time.ts'
import { type PagedImporter, readBucketPage } from './pages.ts'

/** What the reports of Anthropic's Admin API share (its pages as of 2026-10-09). */
export const anthropicReport = {
  provider: 'anthropic',
  baseUrl: 'https://api.anthropic.com/v1',
  keyVariable: 'ANTHROPIC_ADMIN_KEY',
  headers: (key) => ({ 'x-api-key': key, 'anthropic-version': '2023-06-01' }),
  query: ({ from, to, width, limit, groups }) => [
    ['starting_at', formatInstant(from)],
    ['ending_at', formatInstant(to)],
    ['bucket_width', width],
    ['limit', `${limit}`],
    ...groups.map((group) => ['group_by[]', group] as const),
  ],
  readPage: (page, place) =>
    readBucketPage(page, place, { from: 'starting_at', to: 'ending_at', results: ['results'] }),
} as const satisfies Partial<PagedImporter>
