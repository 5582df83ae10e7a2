/** What Assistants v2 (from 2024-04-17 on) says beside what v1 said. The objects of a sandbox that plays v2 are
 * kept as those of v1 with this under `v2`, and shown as `shapes.ts` lays them together. */

/** Files that the tools of an assistant or a thread may read. */
export type ToolResources = {
  readonly code_interpreter?: { readonly file_ids: readonly string[] }
  readonly file_search?: { readonly vector_store_ids: readonly string[] }
}

/** `auto`, an object with a type, or nothing: as the request said it. */
export type ResponseFormat = 'auto' | { readonly type: string; readonly json_schema?: unknown }

/** What bounds the sampling of a model. It changes nothing here. */
export type Sampling = {
  readonly temperature: number | null
  readonly top_p: number | null
  readonly response_format: ResponseFormat
}

export type AssistantV2 = Sampling & { readonly tool_resources: ToolResources }

export type ThreadV2 = { readonly tool_resources: ToolResources }

/** A file that came with a message, and the tools that may read it. */
export type MessageAttachment = {
  readonly file_id: string
  readonly tools: readonly { readonly type: 'code_interpreter' | 'file_search' }[]
}

export type MessageV2 = {
  readonly status: 'completed' | 'incomplete'
  readonly incomplete_details: { readonly reason: 'max_tokens' } | null
  readonly completed_at: number | null
  readonly incomplete_at: number | null
  readonly attachments: readonly MessageAttachment[]
  /** The texts of a message of several parts. */
  readonly parts: readonly string[]
}

/** The tokens of a run or of a step, in the vendor's words. */
export type RunUsage = {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
}

export type ToolChoice =
  | 'none'
  | 'auto'
  | 'required'
  | { readonly type: 'code_interpreter' | 'file_search' }
  | { readonly type: 'function'; readonly function: { readonly name: string } }

export type TruncationStrategy = {
  readonly type: 'auto' | 'last_messages'
  readonly last_messages: number | null
}

export type IncompleteReason = 'max_prompt_tokens' | 'max_completion_tokens'

/** How a run was asked for. */
export type RunSettings = Sampling & {
  readonly tool_choice: ToolChoice
  readonly parallel_tool_calls: boolean
  readonly truncation_strategy: TruncationStrategy
  /** Over all model calls of the run together. */
  readonly max_prompt_tokens: number | null
  readonly max_completion_tokens: number | null
}

/** `usage` is null until the run is over. */
export type RunV2 = RunSettings & {
  readonly incomplete_details: { readonly reason: IncompleteReason } | null
  readonly usage: RunUsage | null
}

export type StepV2 = { readonly usage: RunUsage }

type FileCounts = {
  readonly in_progress: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
  readonly total: number
}

/** A store of files that file search reads. What is in it is counted when it is shown. */
export type VectorStore = {
  readonly id: string
  readonly object: 'vector_store'
  readonly created_at: number
  readonly name: string | null
  readonly metadata: Readonly<Record<string, string>>
  readonly status: 'completed' | 'expired'
  readonly expires_after: { readonly anchor: 'last_active_at'; readonly days: number } | null
  readonly expires_at: number | null
  readonly last_active_at: number
}

export type ChunkingStrategy = {
  readonly type: 'static'
  readonly static: { readonly max_chunk_size_tokens: number; readonly chunk_overlap_tokens: number }
}

/** A file in a store. Its id is that of the file; its bytes are those of the file. */
export type VectorStoreFile = {
  readonly id: string
  readonly object: 'vector_store.file'
  readonly created_at: number
  readonly vector_store_id: string
  readonly usage_bytes: number
  readonly status: 'completed'
  readonly last_error: null
  readonly chunking_strategy: ChunkingStrategy
}

/** Files that were added together. All are in the store when the batch is answered. */
export type VectorStoreBatch = {
  readonly id: string
  readonly object: 'vector_store.files_batch'
  readonly created_at: number
  readonly vector_store_id: string
  readonly status: 'completed'
  readonly file_counts: FileCounts
  readonly file_ids: readonly string[]
}

/** Counts of files of which all were taken at once. */
export const allCompleted = (total: number): FileCounts => ({
  in_progress: 0,
  completed: total,
  failed: 0,
  cancelled: 0,
  total,
})
