/** A fine-tuning job, in the shape of OpenAI's API description 2.0.0 (November 2023). Times are whole seconds. */
export type FineTuningJob = {
  readonly id: string
  readonly object: 'fine_tuning.job'
  readonly model: string
  readonly created_at: number
  readonly finished_at: number | null
  readonly fine_tuned_model: string | null
  readonly organization_id: string
  readonly result_files: readonly string[]
  readonly status: 'validating_files' | 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled'
  readonly validation_file: string | null
  readonly training_file: string
  readonly hyperparameters: { readonly n_epochs: number | 'auto' }
  readonly trained_tokens: number | null
  readonly error: { readonly code: string; readonly message: string; readonly param: string | null } | null
}

/** Something that happened to a job. */
export type FineTuningEvent = {
  readonly id: string
  readonly object: 'fine_tuning.job.event'
  readonly created_at: number
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  readonly data: null
  readonly type: 'message'
}

/** A model that a job made. It is served as its base is, under its own name. */
export type TunedModel = {
  readonly id: string
  readonly object: 'model'
  readonly created: number
  readonly base: string
}
