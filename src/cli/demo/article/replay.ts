import type OpenAI from 'openai'
import { readAccrued, readSpend } from '../../../ledger/reading.ts'
import type { Picos } from '../../../money/money.ts'
import { spend } from '../../../reports/spend.ts'
import type { Instant, manualClock } from '../../../time.ts'
import type { Meter } from '../../../usage/meter.ts'
import type { DemoWorld } from '../world.ts'

/** Where a scenario is replayed: a sandbox, a gateway and a ledger on a clock that stands until it is moved. Each
 * case is a team of its own, so that the ledger keeps it apart. */
export type Replay = {
  readonly world: DemoWorld
  readonly clock: ReturnType<typeof manualClock>
  /** The official SDK through the gateway, with the key of a team. */
  readonly client: (team: string) => Promise<OpenAI>
  /** Does a work that has a name the first time it is asked for, and gives what it gave. */
  readonly once: (name: string, work: () => Promise<string>) => Promise<string>
}

/** Which line of the ledger has a figure. */
export type Line = { readonly team: string; readonly meter: Meter }

/** A line of the ledger, or the difference of two. */
export type Made = Line & { readonly less?: string }

/** What the ledger says of a line: charged, and at list prices. */
export type Figure = { readonly amount: Picos; readonly list: Picos }

/** Opens one over a world. */
export const openReplay = (world: DemoWorld, clock: Replay['clock']): Replay => {
  const clients = new Map<string, ReturnType<DemoWorld['clientOf']>>()
  const works = new Map<string, Promise<string>>()
  return {
    world,
    clock,
    client: async (team) => {
      const made = clients.get(team) ?? world.clientOf(team)
      clients.set(team, made)
      return (await made).client
    },
    once: (name, work) => {
      const done = works.get(name) ?? work()
      works.set(name, done)
      return done
    },
  }
}

/** Moves a clock on to an instant; it never goes back. */
export const moveTo = (clock: Replay['clock'], at: Instant): void => clock.advance(at - clock.now())

const always = { from: 0, to: Number.MAX_SAFE_INTEGER } as const

/** Reads the ledger as it stands now: what each line came to. */
export const readFigures = async ({ world }: Replay): Promise<(made: Made) => Figure> => {
  const { groups } = spend(await readSpend(world.database, always), { by: ['team', 'meter'] })
  const amounts = new Map(groups.map(({ names, amount }) => [names.join('\n'), amount]))
  const promoted = new Map<string, Picos>()
  for await (const page of readAccrued(world.database, always)) {
    for (const { owner, charges, list } of page) {
      const name = `${owner.team}\n${charges[0]?.meter}`
      const saved = list - charges.reduce((sum, { amount }) => sum + amount, 0n)
      promoted.set(name, (promoted.get(name) ?? 0n) + saved)
    }
  }
  const at = ({ team, meter }: Line): Figure => {
    const name = `${team}\n${meter}`
    const amount = amounts.get(name) ?? 0n
    return { amount, list: amount + (promoted.get(name) ?? 0n) }
  }
  return ({ less, ...line }) => {
    const [whole, part] = [at(line), less === undefined ? none : at({ ...line, team: less })]
    return { amount: whole.amount - part.amount, list: whole.list - part.list }
  }
}

const none: Figure = { amount: 0n, list: 0n }
