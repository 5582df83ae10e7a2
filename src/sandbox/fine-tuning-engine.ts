import { filePlace } from './files.ts'
import type { FineTuningEvent, FineTuningJob } from './fine-tuning-objects.ts'
import { keep } from './kept.ts'
import { lettersFrom } from './random.ts'
import type { Place } from './state.ts'
import { readTraining, type Training } from './training-file.ts'
import { tunableModels, tunedPlace } from './tuned-models.ts'
import { bill, seconds, type World } from './world.ts'

/** Lets fine-tuning jobs live: their file is read, then they train an epoch after another, and end.
 *
 * That takes real time (`jobMs`), whatever the sandbox's clock does. A job that was active when the sandbox stopped
 * is taken up again and trains from its beginning.
 *
 * A job is billed once, when it ends: the tokens of its file times its epochs. One that is cancelled is billed the
 * epochs that it had ended by then, and one that fails nothing. The vendor never said what it bills of a cancelled
 * job; that rule is the sandbox's. */
export type FineTuningEngine = {
  readonly begin: (job: FineTuningJob, suffix: string | null) => void
  readonly cancel: (job: FineTuningJob) => FineTuningJob
  /** How many jobs are active. */
  readonly active: () => number
  /** No job moves after this. */
  readonly stop: () => void
}

export const jobPlace: Place<'job'> = { kind: 'job', parent: null }

/** Whether a job goes on. */
export const isActive = ({ status }: FineTuningJob): boolean =>
  ['validating_files', 'queued', 'running'].includes(status)

/** A job at work: what an epoch counts, and how many have ended. */
type Work = { readonly suffix: string | null; tokens: number; ended: number; timer: NodeJS.Timeout | null }

/** Opens the engine and takes up the jobs that were active. */
export const openFineTuningEngine = (world: World, jobMs: number): FineTuningEngine => {
  const { state } = world
  const works = new Map<string, Work>()
  let stopped = false

  const later = (id: string, milliseconds: number, step: (job: FineTuningJob, work: Work) => void): void => {
    const work = works.get(id)
    if (work === undefined) return
    work.timer = setTimeout(() => {
      const job = state.find(jobPlace, id)
      if (!stopped && job !== null && isActive(job)) step(job, work)
    }, milliseconds)
    work.timer.unref()
  }

  const note = (job: string, message: string, level: FineTuningEvent['level'] = 'info'): void => {
    const id = world.newId('ftevent-')
    const event = { id, object: 'fine_tuning.job.event', created_at: seconds(world), level, message } as const
    state.add({ kind: 'job_event', parent: job }, { ...event, data: null, type: 'message' })
  }

  const change = (job: FineTuningJob, changes: Partial<FineTuningJob>): FineTuningJob => {
    const changed = { ...job, ...changes }
    state.replace(jobPlace, changed)
    if (isActive(changed)) return changed
    clearTimeout(works.get(job.id)?.timer ?? undefined)
    works.delete(job.id)
    return changed
  }

  const end = (job: FineTuningJob, changes: Partial<FineTuningJob>, notes: () => void): FineTuningJob =>
    state.together(() => {
      const trained = changes.trained_tokens ?? 0
      if (trained > 0) {
        bill(world, {
          wire: 'fine-tuning',
          id: job.id,
          requestId: null,
          model: job.model,
          user: null,
          usage: { training_tokens: trained },
        })
      }
      notes()
      return change(job, { ...changes, finished_at: seconds(world) })
    })

  const validate = async (id: string, work: Work): Promise<void> => {
    const before = state.find(jobPlace, id)
    const training = before === null ? null : await trainingOf(world, before)
    if (stopped || training === null) return
    const job = state.find(jobPlace, id)
    if (job === null || !isActive(job)) return
    if ('code' in training) {
      end(job, { status: 'failed', error: { ...training, param: 'training_file' } }, () =>
        note(id, training.message, 'error'),
      )
      return
    }
    const asked = job.hyperparameters.n_epochs
    const epochs = asked === 'auto' ? epochsFor(training.examples) : asked
    work.tokens = training.tokens
    state.together(() => {
      change(job, { status: 'running', hyperparameters: { n_epochs: epochs } })
      if (job.status === 'running') return
      note(id, 'Files validated, moving job to queued state')
      note(id, 'Fine-tuning job started')
    })
    train(id, epochs)
  }

  const train = (id: string, epochs: number): void =>
    later(id, (jobMs * 0.75) / epochs, (job, work) => {
      work.ended += 1
      if (work.ended < epochs) train(id, epochs)
      else succeed(job, work, epochs)
    })

  const succeed = (job: FineTuningJob, { tokens, suffix }: Work, epochs: number): void => {
    const name = world.profile.organization.replace(/^org-/, '')
    const letters = lettersFrom(8, world.seed, 'tuned', job.id)
    const model = `ft:${job.model}:${name}:${suffix ?? ''}:${letters}`
    const changes = { status: 'succeeded', fine_tuned_model: model, trained_tokens: tokens * epochs } as const
    end(job, changes, () => {
      state.add(tunedPlace, { id: model, object: 'model', created: seconds(world), base: job.model })
      note(job.id, `New fine-tuned model created: ${model}`)
      note(job.id, 'The job has successfully completed')
    })
  }

  const takeUp = ({ id }: FineTuningJob, suffix: string | null): void => {
    works.set(id, { suffix, tokens: 0, ended: 0, timer: null })
    later(id, jobMs * 0.25, (_, work) => void validate(id, work))
  }

  for (const job of state.every('job')) if (isActive(job)) takeUp(job, suffixOf(world, job.id))

  return {
    begin: (job, suffix) => {
      state.together(() => {
        keep(world, jobPlace, job)
        if (suffix !== null) state.keepContent(job.id, Buffer.from(suffix))
        note(job.id, `Created fine-tuning job: ${job.id}`)
        note(job.id, `Validating training file: ${job.training_file}`)
      })
      takeUp(job, suffix)
    },
    cancel: (job) => {
      const { tokens = 0, ended = 0 } = works.get(job.id) ?? {}
      return end(job, { status: 'cancelled', trained_tokens: tokens * ended }, () =>
        note(job.id, 'The job has been cancelled'),
      )
    },
    active: () => works.size,
    stop: () => {
      stopped = true
      for (const { timer } of works.values()) clearTimeout(timer ?? undefined)
      works.clear()
    },
  }
}

/** A job's object does not show its suffix, so that is kept beside it. */
const suffixOf = ({ state }: World, job: string): string | null => {
  const kept = state.content(job)
  return kept === null ? null : Buffer.from(kept).toString()
}

const trainingOf = async (world: World, job: FineTuningJob): Promise<Training> => {
  const bytes = world.state.find(filePlace, job.training_file) && world.state.content(job.training_file)
  const model = tunableModels.get(job.model)
  if (bytes === null || model === undefined) {
    return { code: 'invalid_training_file', message: `The file ${job.training_file} is gone.` }
  }
  return readTraining({ id: job.training_file, bytes }, model, world.counter)
}

/** Three epochs, more for a few examples and less for many (openai-cookbook, `Chat_finetuning_data_prep`). */
const epochsFor = (examples: number): number => {
  if (examples * 3 < 100) return Math.min(25, Math.floor(100 / examples))
  if (examples * 3 > 25_000) return Math.max(1, Math.floor(25_000 / examples))
  return 3
}
