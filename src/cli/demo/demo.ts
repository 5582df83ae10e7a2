import type { SpendRow } from '../../ledger/reading.ts'
import { readSpend } from '../../ledger/reading.ts'
import { formatPicos } from '../../money/money.ts'
import { type Clock, formatInstant, manualClock, parseInstant } from '../../time.ts'
import { clockFrom } from '../clock.ts'
import type { Io } from '../command.ts'
import { aborted } from '../serve.ts'
import { billTable, booksTable, compareBooks } from './bill.ts'
import { converse, type Held } from './conversations.ts'
import { planAgainstLedger } from './longest.ts'
import {
  afternoon,
  afternoonBudgets,
  articleConversation,
  monthBudgets,
  type Team,
  workingDay,
} from './scenario.ts'
import { type DemoWorld, startDemoWorld } from './world.ts'

export type DemoOptions = {
  /** Simulate a month on a clock that jumps, print its bill, and stop. */
  readonly fast: boolean
  /** Print the bill and stop, instead of staying up. */
  readonly once: boolean
  readonly ports: { readonly gateway: number; readonly sandbox: number }
}

/** The whole product on one machine: teams talk through the official SDK, over HTTP, to a gateway before a
 * sandbox; then the bill, the sandbox's own books beside it, and the plan beside what happened. Exit code 1
 * when the books differ. */
export const demo = async (options: DemoOptions, io: Io): Promise<number> => {
  const start = parseInstant('2023-11-15T12:00:00Z')
  const moving = manualClock(parseInstant('2023-11-06T09:00:00Z'))
  const clock: Clock = options.fast ? moving : clockFrom('2023-11-15T12:00:00Z,running')
  const world = await startDemoWorld({
    clock,
    budgets: options.fast ? monthBudgets : afternoonBudgets,
    ports: options.ports,
    onFault: (error) => io.err(`octroi: ${error instanceof Error ? error.message : 'fault'}\n`),
  })
  try {
    const clients = new Clients(world)
    const held = options.fast ? await month(clients, moving, io) : await teams(clients, afternoon, '', io)
    const rows = await readSpend(world.database, { from: 0, to: Number.MAX_SAFE_INTEGER })
    const period = options.fast ? 'November 2023, from the 6th' : new Date(start).toUTCString().slice(5, 16)
    const agreed = await printBill(world, { held, rows, period }, io)
    if (!options.fast && !options.once && !io.signal.aborted) {
      io.out(farewell(world, await clients.secretOf('your-team')))
      await aborted(io.signal)
    }
    return agreed ? 0 : 1
  } finally {
    await world.close()
  }
}

/** One client a team, made when it is first needed. */
class Clients {
  readonly #world: DemoWorld
  readonly #made = new Map<string, ReturnType<DemoWorld['clientOf']>>()

  constructor(world: DemoWorld) {
    this.#world = world
  }

  of(team: string): ReturnType<DemoWorld['clientOf']> {
    const made = this.#made.get(team) ?? this.#world.clientOf(team)
    this.#made.set(team, made)
    return made
  }

  async secretOf(team: string): Promise<string> {
    return (await this.of(team)).secret
  }
}

/** All teams at once, each holding its conversations one after the other. */
const teams = async (
  clients: Clients,
  working: readonly Team[],
  day: string,
  io: Io,
): Promise<readonly Held[]> => {
  const each = working.map(async ({ team, conversations }) => {
    const { client } = await clients.of(team)
    const held: Held[] = []
    for (const conversation of conversations) {
      if (io.signal.aborted) break
      held.push(await converse(client, conversation, `${team}: ${conversation.name}${day}`))
    }
    return held
  })
  return (await Promise.all(each)).flat()
}

const dayMs = 86_400_000

/** The working days from the 6th, when these prices began, to the end of the month. */
const month = async (
  clients: Clients,
  clock: ReturnType<typeof manualClock>,
  io: Io,
): Promise<readonly Held[]> => {
  const held: Held[] = []
  const last = parseInstant('2023-11-30')
  while (!io.signal.aborted) {
    const today = new Date(clock.now())
    const working = today.getUTCDay() !== 0 && today.getUTCDay() !== 6
    const day = ` on ${formatInstant(clock.now()).slice(0, 10)}`
    if (working) held.push(...(await teams(clients, workingDay, day, io)))
    if (clock.now() >= last) break
    clock.advance(dayMs)
  }
  return held
}

const printBill = async (
  world: DemoWorld,
  bill: { held: readonly Held[]; rows: readonly SpendRow[]; period: string },
  io: Io,
): Promise<boolean> => {
  const { held, rows, period } = bill
  const comparisons = compareBooks(rows, world.sandbox.books())
  const agreed = comparisons.every(
    ({ ledger, vendor }) => ledger.amount === vendor.amount && ledger.quantity === vendor.quantity,
  )
  const article = held.find(({ conversation }) => conversation === articleConversation)
  const longest = article ?? held.reduce((a, b) => (b.turns > a.turns ? b : a))
  io.out(`The bill of ${period}, from the ledger\n\n${billTable(rows, io)}`)
  io.out(`\nThe vendor's own books beside it: ${agreed ? 'no difference' : 'THEY DIFFER'}\n\n`)
  io.out(booksTable(comparisons, io))
  io.out(`\n${budgetLines(world, held)}`)
  io.out(`\nA conversation planned, and what it came to: ${longest.conversation.name}\n\n`)
  io.out(await planAgainstLedger(world.database, world.book, longest, io))
  return agreed
}

const budgetLines = (world: DemoWorld, held: readonly Held[]): string => {
  const refused = held.filter((each) => each.refused !== null)
  const lines = world.gateway
    .limits()
    .map(
      ({ limit, cap, settled, held: now }) =>
        `  ${limit}: ${formatPicos(settled)} of ${formatPicos(cap)} USD, ${formatPicos(now)} held`,
    )
  const first = refused[0]
  const said =
    first === undefined
      ? []
      : [
          `  conversations that a budget ended: ${refused.length}; the first was told:`,
          `  "${first.refused}"`,
        ]
  return `${['Budgets', '', ...lines, ...said].join('\n')}\n`
}

const farewell = (world: DemoWorld, secret: string): string =>
  [
    '',
    'It stays up. Point a real application at it; the sandbox answers, and nothing is spent:',
    '',
    `  export OPENAI_BASE_URL=${world.gateway.url}/v1    # through Octroi`,
    `  export OPENAI_BASE_URL=${world.sandbox.baseUrl}    # the sandbox alone`,
    `  export OPENAI_API_KEY=${secret}`,
    '',
    `Ask its ledger: npx octroi report spend --by team,model --ledger ${world.ledger}`,
    'Ctrl-C ends it.',
    '',
  ].join('\n')
