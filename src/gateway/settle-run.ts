import type { Message, Run, RunWire, SeenRun } from '../endpoints/run.ts'
import type { Reservation } from '../ledger/entry.ts'
import { encodingOf, loadEncoding, tokensAtMost } from '../tokens/text.ts'
import { type Asking, askRunSeen } from './ask.ts'
import { historyCapTag } from './history-cap.ts'
import { meterRun } from './meter-run.ts'
import type { Parts } from './parts.ts'
import { settle } from './settle.ts'
import { applyStanding } from './standing.ts'

/** What a run holds: money, and room in its thread for the longest answer; null where that is not known. */
export type HeldRun = { readonly reservation: Reservation; readonly answerMost: number | null }

/** Settles a run that has ended: reads its thread and its steps, opens the sessions its tools used, prices it, and
 * remembers what its thread has become. Everything up to the settlement may be done twice without harm. */
export const settleRun = async (
  parts: Parts,
  asking: Asking,
  ended: HeldRun & { readonly run: Run; readonly wire: RunWire },
): Promise<void> => {
  const { run, wire, reservation } = ended
  const { upstream } = asking
  const { endpoint, at } = reservation.call
  const seen = await askRunSeen(parts, asking, run, wire)
  const cap = reservation.call.tags[historyCapTag] ?? null
  const outcome = await meterRun(parts, { wire, run, seen, upstream, endpoint, at, cap })
  await rememberFiles(parts, asking, reservation, run, seen)
  await standFor(parts, asking, ended, seen)
  const named = reservation.call.conversation === run.thread ? {} : { conversation: run.thread }
  await settle(parts, reservation, upstream, { ...outcome, ...named })
  await resizeThread(parts, asking, ended, seen.messages)
}

/** Files that a run made belong to whoever began it. */
const rememberFiles = async (
  { registry }: Parts,
  { upstream }: Asking,
  { call }: Reservation,
  run: Run,
  { messages, steps }: SeenRun,
): Promise<void> => {
  const made = [
    ...messages.filter((message) => message.run === run.id).flatMap(({ files }) => files),
    ...steps.flatMap(({ calls }) => calls.flatMap(({ files }) => files)),
  ]
  if (made.length === 0) return
  await registry.remember(
    [...new Set(made)].map((id) => ({
      upstream: upstream.name,
      owner: call.key,
      callId: null,
      facts: { kind: 'file', id, parent: null, model: null, tokensMost: null, tools: false },
    })),
  )
}

/** What its tools opened, and what its assistant keeps because of it. A step without a time counts as when the run
 * began. */
const standFor = async (
  parts: Parts,
  asking: Asking,
  { run, wire, reservation }: HeldRun & { run: Run; wire: RunWire },
  { messages, steps }: SeenRun,
): Promise<void> => {
  const { upstream } = asking
  const { key, organization, team, project, environment, endUser, tags, endpoint, at } = reservation.call
  const owner = { key, organization, team, project, environment, endUser, tags }
  for (const use of wire.uses(run, steps)) {
    await parts.accruals.use({
      ...use,
      at: use.at ?? at,
      owner,
      upstream: upstream.name,
      pricesFrom: upstream.pricesFrom,
      endpoint,
      conversation: run.thread,
    })
  }
  await applyStanding(parts, { asking, owner, endpoint, at }, wire.keeps(run, messages))
}

/** What the run answered takes the place of the longest answer it could have given. With the answer, and with the
 * messages it answers, exact counts take the place of bytes: an answer comes once, so none is made smaller twice.
 * What was counted for another encoding stays at its bytes. */
const resizeThread = async (
  { registry }: Parts,
  { upstream }: Asking,
  { run, answerMost }: HeldRun & { run: Run },
  messages: readonly Message[],
): Promise<void> => {
  if (answerMost === null) return
  const name = { upstream: upstream.name, kind: 'thread', id: run.thread } as const
  const own = messages.filter((message) => message.run === run.id)
  const known = (await registry.object(name))?.facts.model ?? null
  const encoding = encodingOf(run.model)
  const counts = encoding !== null && own.length > 0 && (known === null || encodingOf(known) === encoding)
  if (!counts) return registry.grow(name, sum(own.map(({ text }) => tokensAtMost(text))) - answerMost)
  const first = messages.findIndex((message) => message.run === run.id)
  const before = messages.slice(0, first)
  const asked = before.slice(before.findLastIndex((message) => message.run !== null) + 1)
  const length = sum([...asked, ...own].map(({ text }) => text.length))
  const counter = length > countedLengthMax ? null : await loadEncoding(encoding)
  const tokensOf = ({ text }: Message): number => counter?.count(text) ?? tokensAtMost(text)
  const shrunk = sum(asked.map((message) => tokensOf(message) - tokensAtMost(message.text)))
  await registry.grow(name, sum(own.map(tokensOf)) - answerMost + shrunk, run.model)
}

/** Text that is counted on the loop that serves everyone; a hostile one of this length takes 40 ms. */
const countedLengthMax = 128_000

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0)
