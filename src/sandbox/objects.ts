import type {
  AssistantV2,
  MessageV2,
  RunV2,
  StepV2,
  ThreadV2,
  VectorStore,
  VectorStoreBatch,
  VectorStoreFile,
} from './assistants-v2/objects-v2.ts'
import type { FineTuningEvent, FineTuningJob, TunedModel } from './fine-tuning-objects.ts'

/** What lives at the vendor, in the shapes of Assistants v1 (OpenAI's API description 2.0.0, November 2023); what
 * v2 says beside it is under `v2`. Times are whole seconds. */

export type Metadata = Readonly<Record<string, string>>

/** A function that a model may ask its client to call. `parameters` is a JSON Schema of an object. */
export type FunctionTool = {
  readonly type: 'function'
  readonly function: {
    readonly name: string
    readonly description?: string
    readonly parameters: Readonly<Record<string, unknown>>
    readonly strict?: boolean
  }
}

/** What an assistant may use. */
export type Tool =
  | { readonly type: 'code_interpreter' }
  | { readonly type: 'retrieval' }
  | FileSearchTool
  | FunctionTool

/** Retrieval, as v2 calls it. */
export type FileSearchTool = {
  readonly type: 'file_search'
  readonly file_search?: { readonly max_num_results?: number; readonly ranking_options?: unknown }
}

export type Assistant = {
  readonly id: string
  readonly object: 'assistant'
  readonly created_at: number
  readonly name: string | null
  readonly description: string | null
  readonly model: string
  readonly instructions: string | null
  readonly tools: readonly Tool[]
  readonly file_ids: readonly string[]
  readonly metadata: Metadata
  readonly v2?: AssistantV2
}

/** A file that an assistant may read. Its id is that of the file. */
export type AssistantFile = {
  readonly id: string
  readonly object: 'assistant.file'
  readonly created_at: number
  readonly assistant_id: string
}

export type Thread = {
  readonly id: string
  readonly object: 'thread'
  readonly created_at: number
  readonly metadata: Metadata
  readonly v2?: ThreadV2
}

export type Message = {
  readonly id: string
  readonly object: 'thread.message'
  readonly created_at: number
  readonly thread_id: string
  readonly role: 'user' | 'assistant'
  readonly content: readonly [
    { readonly type: 'text'; readonly text: { readonly value: string; readonly annotations: readonly [] } },
  ]
  readonly file_ids: readonly string[]
  readonly assistant_id: string | null
  readonly run_id: string | null
  readonly metadata: Metadata
  readonly v2?: MessageV2
}

/** A file that came with a message. Its id is that of the file. */
export type MessageFile = {
  readonly id: string
  readonly object: 'thread.message.file'
  readonly created_at: number
  readonly message_id: string
}

/** A file that some message of a thread brought: what the retrieval of its runs may read. Never shown. */
export type ThreadFile = {
  readonly id: string
  readonly object: 'thread.file'
  readonly bytes: number
}

export type RunStatus =
  | 'queued'
  | 'in_progress'
  | 'requires_action'
  | 'cancelling'
  | 'cancelled'
  | 'failed'
  | 'completed'
  | 'incomplete'
  | 'expired'

/** A run. Of November 2023: nothing in it says what it used. */
export type Run = {
  readonly id: string
  readonly object: 'thread.run'
  readonly created_at: number
  readonly assistant_id: string
  readonly thread_id: string
  readonly status: RunStatus
  readonly started_at: number | null
  readonly expires_at: number | null
  readonly cancelled_at: number | null
  readonly failed_at: number | null
  readonly completed_at: number | null
  readonly required_action: {
    readonly type: 'submit_tool_outputs'
    readonly submit_tool_outputs: { readonly tool_calls: readonly RequiredCall[] }
  } | null
  readonly last_error: { readonly code: string; readonly message: string } | null
  readonly model: string
  readonly instructions: string
  readonly tools: readonly Tool[]
  readonly file_ids: readonly string[]
  readonly metadata: Metadata
  readonly v2?: RunV2
}

/** A call that a run waits for. */
export type RequiredCall = {
  readonly id: string
  readonly type: 'function'
  readonly function: { readonly name: string; readonly arguments: string }
}

/** A tool that a step used. The output of a function is null until the client submits it. Of a retrieval
 * nothing is shown, as then. */
export type ToolCall =
  | {
      readonly id: string
      readonly type: 'code_interpreter'
      readonly code_interpreter: {
        readonly input: string
        readonly outputs: readonly { readonly type: 'logs'; readonly logs: string }[]
      }
    }
  | {
      readonly id: string
      readonly type: 'retrieval'
      readonly retrieval: Readonly<Record<string, never>>
    }
  | {
      readonly id: string
      readonly type: 'file_search'
      readonly file_search: { readonly ranking_options: unknown; readonly results: readonly [] }
    }
  | {
      readonly id: string
      readonly type: 'function'
      readonly function: {
        readonly name: string
        readonly arguments: string
        readonly output: string | null
      }
    }

export type StepDetails =
  | {
      readonly type: 'message_creation'
      readonly message_creation: { readonly message_id: string }
    }
  | { readonly type: 'tool_calls'; readonly tool_calls: readonly ToolCall[] }

export type Step = {
  readonly id: string
  readonly object: 'thread.run.step'
  readonly created_at: number
  readonly run_id: string
  readonly assistant_id: string
  readonly thread_id: string
  readonly type: StepDetails['type']
  readonly status: 'in_progress' | 'cancelled' | 'failed' | 'completed' | 'expired'
  readonly cancelled_at: number | null
  readonly completed_at: number | null
  readonly expired_at: number | null
  readonly failed_at: number | null
  readonly last_error: { readonly code: string; readonly message: string } | null
  readonly step_details: StepDetails
  readonly metadata: Metadata
  readonly v2?: StepV2
}

/** An uploaded file. What is in it is kept beside it, as bytes. */
export type FileObject = {
  readonly id: string
  readonly object: 'file'
  readonly bytes: number
  readonly created_at: number
  readonly filename: string
  readonly purpose: 'assistants' | 'assistants_output' | 'fine-tune' | 'fine-tune-results'
  readonly status: 'uploaded' | 'processed' | 'error'
  readonly status_details: string | null
}

/** A picture with a URL: what draws it again. Nothing of the vendor's shows it. */
export type ImageObject = {
  readonly id: string
  readonly object: 'image'
  readonly created_at: number
  readonly size: '256x256' | '512x512' | '1024x1024' | '1024x1792' | '1792x1024'
  readonly seed: string
}

/** The kinds of objects that are kept, by name. */
export type Kinds = {
  readonly file: FileObject
  readonly image: ImageObject
  readonly assistant: Assistant
  readonly assistant_file: AssistantFile
  readonly thread: Thread
  readonly thread_file: ThreadFile
  readonly message: Message
  readonly message_file: MessageFile
  readonly run: Run
  readonly step: Step
  readonly job: FineTuningJob
  readonly job_event: FineTuningEvent
  readonly tuned: TunedModel
  readonly payment: PaymentObject
  readonly response: KeptResponse
  readonly conversation: KeptConversation
  readonly vector_store: VectorStore
  readonly vector_store_file: VectorStoreFile
  readonly vector_store_batch: VectorStoreBatch
}

/** A payment of the account, as the sandbox keeps it. Nothing of the vendor's shows it. `at` in milliseconds. */
export type PaymentObject = {
  readonly id: string
  readonly object: 'payment'
  readonly at: number
  readonly usd: string
}

/** A response that is kept: what the vendor shows of it, and all that it read and wrote, the history included. */
export type KeptResponse = {
  readonly id: string
  readonly reply: Readonly<Record<string, unknown>>
  readonly items: readonly unknown[]
}

/** A conversation that responses read and add to. */
export type KeptConversation = {
  readonly id: string
  readonly object: 'conversation'
  readonly created_at: number
  readonly metadata: Metadata
  readonly items: readonly unknown[]
}
