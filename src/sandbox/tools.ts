import { invalidValue, paramOf } from './assistants-v2/refusals-v2.ts'
import { readNumber } from './assistants-v2/values.ts'
import type { FieldReader } from './fields.ts'
import type { FileSearchTool, FunctionTool, Tool } from './objects.ts'
import type { RequestFault } from './profiles/profile.ts'
import { type Fields, isFields, type World } from './world.ts'

/** Tools an assistant may have: the vendor's of that time. */
const toolsMax = 128
const descriptionMax = 32_768
const namePattern = '^[a-zA-Z0-9_-]{1,64}$'

/** Reads the `tools` of an assistant or a run; undefined where there are none. Throws the vendor's refusal of
 * whatever is wrong: `FunctionObject` of its API description 2.0.0 needs a name and parameters. */
export const readTools = (
  world: World,
  reader: FieldReader,
  place: readonly string[],
): readonly Tool[] | undefined => {
  const list = reader.list('tools', { most: toolsMax })
  if (list === undefined) return undefined
  const faults: RequestFault[] = []
  const tools = list.map((tool, index) => readTool(world, tool, [...place, 'tools', String(index)], faults))
  if (faults.length > 0) throw world.profile.refusals.invalidRequest(faults)
  return tools
}

const kindsOf = {
  v1: ['code_interpreter', 'retrieval', 'function'],
  v2: ['code_interpreter', 'function', 'file_search'],
} as const

const readTool = (world: World, tool: unknown, place: readonly string[], faults: RequestFault[]): Tool => {
  const nothing: Tool = { type: 'code_interpreter' }
  if (!isFields(tool)) {
    faults.push({ place, message: 'value is not a valid dict (type=type_error.dict)' })
    return nothing
  }
  const kinds = kindsOf[world.assistants]
  const kind = kinds.find((each) => each === tool['type'])
  if (kind === undefined) {
    if (world.assistants === 'v2' && tool['type'] !== undefined) {
      throw invalidValue({ param: paramOf([...place, 'type']), value: tool['type'], supported: kinds })
    }
    const permitted = kinds.map((each) => `'${each}'`).join(', ')
    const message =
      tool['type'] === undefined
        ? 'field required (type=value_error.missing)'
        : `value is not a valid enumeration member; permitted: ${permitted} (type=type_error.enum)`
    faults.push({ place: [...place, 'type'], message })
    return nothing
  }
  refuseExtras(tool, kind === 'function' || kind === 'file_search' ? ['type', kind] : ['type'], place, faults)
  if (kind === 'file_search') return readFileSearch(tool, paramOf([...place, 'file_search']))
  if (kind !== 'function') return { type: kind }
  const definition = tool['function']
  if (isFields(definition)) return readFunction(world, definition, [...place, 'function'], faults)
  const message =
    definition === undefined
      ? 'field required (type=value_error.missing)'
      : 'value is not a valid dict (type=type_error.dict)'
  faults.push({ place: [...place, 'function'], message })
  return nothing
}

/** Chunks that a search may be asked for: the vendor's page on file search. */
const resultsMax = 50

const readFileSearch = (tool: Fields, param: string): FileSearchTool => {
  const given = tool['file_search']
  if (!isFields(given)) return { type: 'file_search' }
  const range = { least: 1, most: resultsMax, whole: true }
  const max_num_results = readNumber(given, 'max_num_results', range, `${param}.max_num_results`)
  const { ranking_options } = given
  return {
    type: 'file_search',
    file_search: {
      ...(max_num_results !== null && { max_num_results }),
      ...(isFields(ranking_options) && { ranking_options }),
    },
  }
}

const readFunction = (
  world: World,
  definition: Fields,
  place: readonly string[],
  faults: RequestFault[],
): FunctionTool => {
  const fault = (name: string, message: string): void => {
    faults.push({ place: [...place, name], message })
  }
  const newer = world.assistants === 'v2' ? ['strict'] : []
  refuseExtras(definition, ['name', 'description', 'parameters', ...newer], place, faults)
  const { name, description, strict } = definition
  // A function of v2 may have no parameters.
  const parameters =
    world.assistants === 'v2' && definition['parameters'] === undefined
      ? { type: 'object', properties: {} }
      : definition['parameters']
  if (name === undefined) fault('name', 'field required (type=value_error.missing)')
  else if (typeof name !== 'string') fault('name', 'str type expected (type=type_error.str)')
  else if (!new RegExp(namePattern).test(name)) {
    fault(
      'name',
      `string does not match regex "${namePattern}" (type=value_error.str.regex; pattern=${namePattern})`,
    )
  }
  if (description !== undefined && description !== null) {
    if (typeof description !== 'string') fault('description', 'str type expected (type=type_error.str)')
    else if (description.length > descriptionMax) {
      fault('description', `ensure this value has at most ${descriptionMax} characters`)
    }
  }
  if (parameters === undefined) fault('parameters', 'field required (type=value_error.missing)')
  else if (!isFields(parameters) || parameters['type'] !== 'object') {
    throw world.profile.refusals.badSchema({ name: String(name).slice(0, 64), schema: parameters })
  }
  return {
    type: 'function',
    function: {
      name: String(name),
      ...(typeof description === 'string' && { description }),
      parameters: isFields(parameters) ? parameters : {},
      ...(typeof strict === 'boolean' && { strict }),
    },
  }
}

const refuseExtras = (
  fields: Fields,
  known: readonly string[],
  place: readonly string[],
  faults: RequestFault[],
): void => {
  for (const name of Object.keys(fields)
    .filter((each) => !known.includes(each))
    .slice(0, 20)) {
    faults.push({
      place: [...place, name.slice(0, 60)],
      message: 'extra fields not permitted (type=value_error.extra)',
    })
  }
}

/** Reads a list of ids of files; undefined where there is none. */
export const readFileIds = (
  world: World,
  reader: FieldReader,
  place: readonly string[],
  { most }: { readonly most: number },
): readonly string[] | undefined => {
  const list = reader.list('file_ids', { most })
  if (list === undefined) return undefined
  const texts = list.filter((each) => typeof each === 'string')
  if (texts.length === list.length) return [...new Set(texts)]
  const wrong = list.findIndex((each) => typeof each !== 'string')
  throw world.profile.refusals.invalidRequest([
    { place: [...place, 'file_ids', String(wrong)], message: 'str type expected (type=type_error.str)' },
  ])
}
