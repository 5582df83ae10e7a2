/** A place in a vendor's report, as a text:
 * `usage.prompt_tokens`: names from the outside in;
 * `details[modality=AUDIO].tokens`: the elements of a list that say so (`!=`: that do not), or all with `[]`;
 * `a + b`: both of them. An empty list is not there. */
export type Path = string

/** The values at a path, more than one where it goes through a list; undefined where nothing is there. What is
 * null is not there. */
export type ReadPath = (report: unknown) => readonly unknown[] | undefined

/** Makes a path ready for reading. */
export const compilePath = (path: Path): ReadPath => {
  const terms = path.split(' + ').map((term) => term.split('.').map(stepOf))
  const [only, ...more] = terms
  if (only !== undefined && more.length === 0) return (report) => follow(report, only, 0)
  return (report) => {
    const found = terms.flatMap((steps) => {
      const values = follow(report, steps, 0)
      return values === undefined ? [] : [values]
    })
    return found.length === 0 ? undefined : found.flat()
  }
}

/** The names of a path without what selects among list elements: `details[].tokens`. One for each term. */
export const plainPaths = (path: Path): readonly string[] =>
  path.split(' + ').map((term) => term.replace(/\[[^\]]*\]/g, '[]'))

type Step = { readonly name: string; readonly takes: ((element: unknown) => boolean) | null }

const stepOf = (text: string): Step => {
  const [, name = text, field, not, value] = /^(\w+)\[(?:(\w+)(!?)=(\w+))?\]$/.exec(text) ?? []
  if (name === text) return { name, takes: null }
  if (field === undefined) return { name, takes: () => true }
  return { name, takes: (element) => (own(element, field) === value) === (not === '') }
}

const follow = (value: unknown, steps: readonly Step[], from: number): readonly unknown[] | undefined => {
  let at = value
  for (let index = from; index < steps.length; index += 1) {
    const step = steps[index]
    if (step === undefined) break
    at = own(at, step.name) ?? undefined
    if (step.takes === null) continue
    if (!Array.isArray(at) || at.length === 0) return undefined
    return at.filter(step.takes).flatMap((element) => follow(element, steps, index + 1) ?? [])
  }
  return at === undefined ? undefined : [at]
}

const own = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined
