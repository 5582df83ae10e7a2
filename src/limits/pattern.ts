/** What a call is, as far as limits look at it. */
export type LimitSubject = {
  readonly organization: string | null
  readonly team: string | null
  readonly project: string | null
  readonly environment: string | null
  readonly key: string | null
  readonly endUser: string | null
  readonly provider: string
  readonly model: string | null
  readonly endpoint: string
  readonly conversation: string | null
  readonly tags: Readonly<Record<string, string>>
}

/** The names a limit can match and count by; beside them any tag, written `tag:feature`. */
export const subjectFields = [
  ...['organization', 'team', 'project', 'environment', 'key', 'endUser'],
  ...['provider', 'model', 'endpoint', 'conversation'],
] as readonly (keyof Omit<LimitSubject, 'tags'>)[]

/** A name or `tag:NAME`. */
export type Dimension = string

/** True for a name that calls have, and for any tag. */
export const isDimension = (name: string): boolean =>
  subjectFields.some((field) => field === name) || /^tag:[A-Za-z0-9_.-]{1,64}$/.test(name)

/** What a call has under a name; null where it has nothing. */
export const namedIn = (subject: LimitSubject, dimension: Dimension): string | null => {
  if (!dimension.startsWith('tag:')) return subject[dimension as keyof Omit<LimitSubject, 'tags'>]
  const tag = dimension.slice(4)
  return Object.hasOwn(subject.tags, tag) ? (subject.tags[tag] ?? null) : null
}

/** Makes a test of a pattern: an exact name, or one with stars that stand for anything. What is absent matches only the
 * pattern `*`. It takes time in proportion to the name for each star, whatever the name is. */
export const matcherOf = (pattern: string): ((name: string | null) => boolean) => {
  if (pattern === '*') return () => true
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return (name) => name === pattern
  return (name) => {
    if (name === null || !name.startsWith(first) || !name.endsWith(last)) return false
    let from = first.length
    for (const part of rest) {
      const found = name.indexOf(part, from)
      if (found === -1) return false
      from = found + part.length
    }
    return from <= name.length - last.length
  }
}
