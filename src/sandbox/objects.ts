/** What lives at the vendor, in the shapes of Assistants v1 (OpenAI's API description 2.0.0, November 2023).
 * Times are whole seconds. */

export type Metadata = Readonly<Record<string, string>>

export type Assistant = {
  readonly id: string
  readonly object: 'assistant'
  readonly created_at: number
  readonly name: string | null
  readonly description: string | null
  readonly model: string
  readonly instructions: string | null
  readonly tools: readonly []
  readonly file_ids: readonly []
  readonly metadata: Metadata
}

export type Thread = {
  readonly id: string
  readonly object: 'thread'
  readonly created_at: number
  readonly metadata: Metadata
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
  readonly file_ids: readonly []
  readonly assistant_id: string | null
  readonly run_id: string | null
  readonly metadata: Metadata
}

export type RunStatus =
  | 'queued'
  | 'in_progress'
  | 'cancelling'
  | 'cancelled'
  | 'failed'
  | 'completed'
  | 'expired'

/** A run of November 2023: nothing in it says what it used. */
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
  readonly required_action: null
  readonly last_error: { readonly code: string; readonly message: string } | null
  readonly model: string
  readonly instructions: string
  readonly tools: readonly []
  readonly file_ids: readonly []
  readonly metadata: Metadata
}

export type Step = {
  readonly id: string
  readonly object: 'thread.run.step'
  readonly created_at: number
  readonly run_id: string
  readonly assistant_id: string
  readonly thread_id: string
  readonly type: 'message_creation'
  readonly status: 'completed'
  readonly cancelled_at: null
  readonly completed_at: number
  readonly expired_at: null
  readonly failed_at: null
  readonly last_error: null
  readonly step_details: {
    readonly type: 'message_creation'
    readonly message_creation: { readonly message_id: string }
  }
  readonly metadata: Metadata
}

/** The kinds of objects that are kept, by name. */
export type Kinds = {
  readonly assistant: Assistant
  readonly thread: Thread
  readonly message: Message
  readonly run: Run
  readonly step: Step
}
