import { anthropicCosts } from './anthropic-costs.ts'
import { anthropicUsage } from './anthropic-usage.ts'
import { openaiCosts } from './openai-costs.ts'
import { openaiUsage } from './openai-usage.ts'
import { openrouterActivity } from './openrouter-activity.ts'
import type { PagedImporter } from './pages.ts'

/** The importers of reports that come by pages, from a vendor or from a file. */
export const pagedImporters: readonly PagedImporter[] = [
  openaiUsage,
  openaiCosts,
  anthropicUsage,
  anthropicCosts,
  openrouterActivity,
]

const rowImporterNames = ['litellm-spend-logs', 'focus', 'csv'] as const

/** Every importer there is. */
export const importerNames: readonly string[] = [...pagedImporters.map(({ id }) => id), ...rowImporterNames]
