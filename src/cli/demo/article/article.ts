import { readSpend } from '../../../ledger/reading.ts'
import { type Picos, parsePicos } from '../../../money/money.ts'
import { price } from '../../../pricing/price.ts'
import { spend } from '../../../reports/spend.ts'
import { manualClock, parseInstant } from '../../../time.ts'
import { bundledLimits } from '../../bundled.ts'
import type { Io } from '../../command.ts'
import { startDemoWorld } from '../world.ts'
import { calls, chatOnce } from './calls.ts'
import { type ArticleCase, type ArticleDay, articleDays } from './cases.ts'
import { climbTiers, type Met, meetLimits, tuneGpt4 } from './limits.ts'
import { type Books, booksLine, dayText, erratumLines, limitsText, type Outcome } from './print.ts'
import { type Made, moveTo, openReplay, type Replay, readFigures } from './replay.ts'
import { holdSessions, holdStorage } from './standing.ts'
import { tunedModel } from './tuned.ts'

const start = '2023-11-15T12:00:00Z'

/** Replays the article of November 2023, its figures and then its limits, and prints each beside what the ledger says.
 * Exit code 1 when one differs, or Ctrl-C came before the end. */
export const replayArticle = async (io: Io, days: readonly ArticleDay[] = articleDays): Promise<number> => {
  const figures = await inWorld(io, {}, (replay) => replayFigures(replay, days, io))
  const limited = { limits: { files: await bundledLimits() }, outputTokens: 20 }
  const limits = !io.signal.aborted && (await inWorld(io, limited, (replay) => replayLimits(replay, io)))
  if (io.signal.aborted) return 1
  const agreed = figures && limits
  io.out(agreed ? '\nThe ledger has every figure of the article.\n' : '\nTHERE ARE DIFFERENCES.\n')
  return agreed ? 0 : 1
}

/** A world of its own on the day of the article, closed in the end. */
const inWorld = async (
  io: Io,
  sandbox: Parameters<typeof startDemoWorld>[0]['sandbox'],
  work: (replay: Replay) => Promise<boolean>,
): Promise<boolean> => {
  const clock = manualClock(parseInstant(start))
  const world = await startDemoWorld({
    clock,
    budgets: [],
    ports: { gateway: 0, sandbox: 0 },
    sandbox: { outputTokens: 1000, ...sandbox },
    onFault: (error) => io.err(`octroi: ${error instanceof Error ? error.message : 'fault'}\n`),
  })
  try {
    return await work(openReplay(world, clock))
  } finally {
    await world.close()
  }
}

const replayFigures = async (replay: Replay, days: readonly ArticleDay[], io: Io): Promise<boolean> => {
  const all: Outcome[] = []
  for (const day of days) {
    const outcomes = await replayDay(replay, day, io)
    if (io.signal.aborted) return false
    io.out(dayText(day, outcomes, io))
    all.push(...outcomes)
  }
  const out = (name: string): Picos => all.find(({ asked }) => asked.id === `${name}-output-1k`)?.amount ?? 0n
  const [turbo, plain, tuned] = [out('gpt-4-turbo'), out('gpt-3.5-turbo'), out('gpt-3.5-turbo-fine-tuned')]
  const books = await readBooks(replay)
  io.out(`${erratumLines({ turbo, plain, tuned })}\n${booksLine(books)}`)
  return all.every(isEqual) && books.ledger === books.vendor
}

const replayDay = async (replay: Replay, day: ArticleDay, io: Io): Promise<readonly Outcome[]> => {
  moveTo(replay.clock, parseInstant(day.at))
  const made: { readonly asked: ArticleCase; readonly line: Made }[] = []
  for (const asked of day.cases) {
    if (io.signal.aborted) return []
    made.push({ asked, line: await makeAgain(replay, asked) })
  }
  const figureOf = await readFigures(replay)
  return made.map(({ asked, line }) => ({ asked, ...figureOf(line) }))
}

/** Does what a case asks, and says where the ledger has its figure. */
const makeAgain = async (replay: Replay, { ask, ...about }: ArticleCase): Promise<Made> => {
  switch (ask.service) {
    case 'tuned':
      return { team: await chatOnce(replay, await tunedModel(replay, ask.base)), meter: ask.meter }
    case 'code-interpreter':
      return holdSessions(replay, { ...about, ask })
    case 'retrieval':
      return holdStorage(replay, { ...about, ask })
    case 'chat':
      return calls.chat(replay, { ...about, ask })
    case 'vision':
      return calls.vision(replay, { ...about, ask })
    case 'image':
      return calls.image(replay, { ...about, ask })
    case 'speech':
      return calls.speech(replay, { ...about, ask })
    case 'transcription':
      return calls.transcription(replay, { ...about, ask })
    case 'embedding':
      return calls.embedding(replay, { ...about, ask })
  }
}

const isEqual = ({ asked, amount, list }: Outcome): boolean =>
  amount === parsePicos(asked.usd) && list === parsePicos(asked.listUsd ?? asked.usd)

/** All of the ledger beside all of the sandbox's own books. The training, which the sandbox was asked directly, stands
 * in its books alone and is left out. */
const readBooks = async ({ world }: Replay): Promise<Books> => {
  const rows = await readSpend(world.database, { from: 0, to: Number.MAX_SAFE_INTEGER })
  const [total] = spend(rows, { by: [] }).totals
  const vendor = world.sandbox.books().filter(({ meter }) => meter !== 'training_tokens')
  return {
    ledger: total?.amount ?? 0n,
    vendor: vendor.reduce((sum, { amount }) => sum + parsePicos(amount ?? '0'), 0n),
  }
}

const replayLimits = async (replay: Replay, io: Io): Promise<boolean> => {
  const met: Met[] = []
  const climbed = await climbTiers(replay, async () => {
    met.push(...(await meetLimits(replay)))
  })
  const refusal = await tuneGpt4(replay)
  const { unpriced } = price(
    { training_tokens: 1000 },
    { provider: 'openai', model: 'gpt-4', at: parseInstant(start) },
    replay.world.book,
  )
  io.out(`\n${limitsText({ met, climbed, refusal, unpriced: unpriced[0]?.message ?? null }, io)}`)
  return (
    met.length > 0 &&
    met.every(
      ({ limit, request, amount }) => request === limit.refused && amount === parsePicos(limit.usd),
    ) &&
    climbed.every(({ tier, wanted }) => tier === wanted) &&
    refusal !== null &&
    unpriced.length > 0
  )
}
