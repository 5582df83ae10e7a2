import { checkNames, shown } from './arguments.ts'
import { theFile } from './files.ts'
import { type FineTuningEngine, isActive, jobPlace } from './fine-tuning-engine.ts'
import type { FineTuningJob } from './fine-tuning-objects.ts'
import type { Kinds } from './objects.ts'
import { Refusal } from './refusal.ts'
import type { Place } from './state.ts'
import { tunableModels } from './tuned-models.ts'
import { type Fields, isFields, seconds, type WireRoute, type World } from './world.ts'

/** Fine-tuning jobs of November 2023: GPT-3.5 Turbo and the two base models, not GPT-4. What a job makes is served
 * by chat completions under its own name and price. */
export const fineTuning = (world: World, engine: FineTuningEngine): readonly WireRoute[] => [
  jobRoute('POST', '', ({ body }) => create(world, engine, body)),
  jobRoute('GET', '', ({ query }) => list(world, jobPlace, query)),
  jobRoute('GET', '/:job', ({ params }) => theJob(world, params['job'])),
  jobRoute('POST', '/:job/cancel', ({ params }) => {
    const job = theJob(world, params['job'])
    if (isActive(job)) return engine.cancel(job)
    throw new Refusal(400, `Cannot cancel a job that has status '${job.status}'.`)
  }),
  jobRoute('GET', '/:job/events', ({ params, query }) =>
    list(world, { kind: 'job_event', parent: theJob(world, params['job']).id }, query),
  ),
]

const jobRoute = (
  method: WireRoute['method'],
  path: string,
  told: (exchange: Parameters<WireRoute['handle']>[0]) => unknown,
): WireRoute => ({
  method,
  path: `/v1/fine_tuning/jobs${path}`,
  family: 'fine-tuning',
  handle: (exchange) => ({ json: told(exchange) }),
})

const fields = ['model', 'training_file', 'validation_file', 'hyperparameters', 'suffix']
const jobsMax = 100

/** The refusal of a model: openai-cookbook issue 657, 2023-08-24. Those of files and of too many jobs are in the
 * manner of their neighbours. */
const create = (world: World, engine: FineTuningEngine, body: Fields): FineTuningJob => {
  checkNames(body, fields)
  for (const name of ['model', 'training_file']) {
    if (body[name] === undefined) throw new Refusal(400, `'${name}' is a required property`)
  }
  const model = tunableModels.get(String(body['model']))
  if (model === undefined) {
    const asked = String(body['model']).slice(0, 100)
    throw new Refusal(400, `Model ${asked} is not available for fine-tuning or does not exist.`, {
      param: 'model',
      code: 'model_not_available',
    })
  }
  const training = trainingFile(world, body, 'training_file')
  const validation = body['validation_file'] == null ? null : trainingFile(world, body, 'validation_file')
  const epochs = epochsOf(body['hyperparameters'])
  const suffix = suffixOf(body['suffix'])
  if (engine.active() >= jobsMax) {
    throw new Refusal(429, `The sandbox trains at most ${jobsMax} jobs at once.`, { type: 'requests' })
  }
  const job: FineTuningJob = {
    object: 'fine_tuning.job',
    id: world.newId('ftjob-'),
    model: model.id,
    created_at: seconds(world),
    finished_at: null,
    fine_tuned_model: null,
    organization_id: world.profile.organization,
    result_files: [],
    status: 'validating_files',
    validation_file: validation,
    training_file: training,
    hyperparameters: { n_epochs: epochs },
    trained_tokens: null,
    error: null,
  }
  engine.begin(job, suffix)
  return job
}

const trainingFile = (world: World, body: Fields, name: 'training_file' | 'validation_file'): string => {
  const id = body[name]
  if (typeof id !== 'string') throw new Refusal(400, `${shown(id)} is not of type 'string' - '${name}'`)
  const { purpose } = theFile(world, id)
  if (purpose === 'fine-tune') return id
  throw new Refusal(400, `File '${id}' has the purpose '${purpose}', and must have 'fine-tune'.`, {
    param: name,
  })
}

const epochsMost = 50

const epochsOf = (hyperparameters: unknown): number | 'auto' => {
  if (hyperparameters === undefined || hyperparameters === null) return 'auto'
  if (!isFields(hyperparameters)) {
    throw new Refusal(400, `${shown(hyperparameters)} is not of type 'object' - 'hyperparameters'`)
  }
  checkNames(hyperparameters, ['n_epochs'])
  const epochs = hyperparameters['n_epochs'] ?? 'auto'
  if (epochs === 'auto') return epochs
  if (typeof epochs === 'number' && Number.isInteger(epochs) && epochs >= 1 && epochs <= epochsMost)
    return epochs
  throw new Refusal(
    400,
    `${shown(epochs)} is not 'auto' or an integer from 1 to ${epochsMost} - 'hyperparameters.n_epochs'`,
  )
}

const suffixLengthMax = 40

const suffixOf = (suffix: unknown): string | null => {
  if (suffix === undefined || suffix === null) return null
  if (typeof suffix !== 'string')
    throw new Refusal(400, `${shown(suffix)} is not of type 'string' - 'suffix'`)
  if (suffix.length > suffixLengthMax) throw new Refusal(400, `${shown(suffix)} is too long - 'suffix'`)
  // It becomes a part of a name that is cut at colons.
  const name = suffix.toLowerCase().replace(/[^a-z0-9-]+/g, '-')
  return name === '' ? null : name
}

const theJob = (world: World, id: string | undefined): FineTuningJob => {
  const found = id === undefined ? null : world.state.find(jobPlace, id)
  if (found !== null) return found
  throw new Refusal(404, `Could not find fine tune: ${(id ?? '').slice(0, 100)}`, {
    param: 'fine_tune_id',
    code: 'fine_tune_not_found',
  })
}

/** Newest first, cut by `limit` and `after`. */
const list = <K extends keyof Kinds>(world: World, place: Place<K>, query: URLSearchParams) => {
  const limit = query.get('limit') ?? '20'
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > 100) {
    throw new Refusal(400, `${shown(limit)} is not an integer from 1 to 100 - 'limit'`)
  }
  const after = query.get('after')
  if (after !== null && world.state.find(place, after) === null) {
    throw new Refusal(400, `There is nothing after ${shown(after)} - 'after'`)
  }
  const page = world.state.page(place, { limit: Number(limit), order: 'desc', after, before: null })
  return { object: 'list', data: page.data, has_more: page.hasMore }
}
