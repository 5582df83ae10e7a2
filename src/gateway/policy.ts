import { createHash } from 'node:crypto'
import { OctroiError } from '../errors.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Admission } from '../limits/admit.ts'
import { type Rules, readRules, rulesRequest, type WrittenRules } from './rules.ts'

/** The rules that hold now, which may be replaced as a whole while calls are in flight. */
export type Policy = {
  readonly rules: () => Rules
  /** A hash of the rules: the same for the same. */
  readonly version: () => string
  /** Puts other rules in the place of what they name; what they leave out stays. Resolves when the next call is held to
   * them. With `basedOn`, only where that version still holds. Throws `bad_input` naming the field and
   * `policy_outdated`; then nothing has changed. */
  readonly replace: (body: unknown, basedOn: string | null) => Promise<void>
}

/** Told of rules at the moment from which they hold; they are replaced when it resolves. */
export type RulesChanged = (rules: Rules) => Promise<void>

export const createPolicy = (
  first: Rules,
  {
    admission,
    ledger,
    changed = async () => {},
  }: {
    readonly admission: Pick<Admission, 'replace'>
    readonly ledger: Pick<Ledger, 'balances'>
    readonly changed?: RulesChanged
  },
): Policy => {
  let rules = first
  let last: Promise<unknown> = Promise.resolve()

  const replaceNow = async (body: unknown, basedOn: string | null): Promise<void> => {
    if (basedOn !== null && basedOn !== versionOf(rules)) throw outdated(versionOf(rules))
    const next = readRules({ ...rules.written, ...readBody(body) })
    const balances = await ledger.balances()
    // Every end that the ledger wrote before these balances is counted first, and none after them is missed.
    await new Promise<void>((resolve) => process.nextTick(resolve))
    admission.replace(next.limits, balances)
    rules = next
    await changed(next)
  }

  return {
    rules: () => rules,
    version: () => versionOf(rules),
    replace: (body, basedOn) => {
      const done = last.then(() => replaceNow(body, basedOn))
      last = done.catch(() => {})
      return done
    },
  }
}

const readBody = (body: unknown): Partial<WrittenRules> => {
  const parsed = rulesRequest.safeParse(body)
  if (parsed.success) {
    return Object.fromEntries(Object.entries(parsed.data).filter(([, part]) => part !== undefined))
  }
  const issue = parsed.error.issues[0]
  throw new OctroiError('bad_input', `Policy: ${issue?.path.join('.') || 'the body'}: ${issue?.message}.`)
}

const versionOf = ({ written }: Rules): string =>
  createHash('sha256').update(JSON.stringify(written, sorted)).digest('hex').slice(0, 32)

/** The same text for the same, in whatever order its names came. */
const sorted = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value

const outdated = (version: string): OctroiError =>
  new OctroiError(
    'policy_outdated',
    `The rules have changed meanwhile: version ${version} holds. Read them again, and change those.`,
  )
