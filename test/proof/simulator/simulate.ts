import type { Limit } from '../../../src/limits/limit.ts'
import { createKeeper } from './keeper.ts'
import { variants } from './limits.ts'
import { checkEnd, checkLent, createRules } from './rules.ts'
import { createWorker, type Worker } from './worker.ts'
import { createWorld, leaseMs } from './world.ts'

const workersMax = 4
const waits = [1, 700, 5_000, 5_000, 15_000, 45_000, 300_000, 595_000] as const

/** Runs one simulation: a keeper and one to four workers, whose steps a seed puts in an order, with crashes, delays,
 * repeated ends, and limits that are replaced. Throws `Broken` where a rule does not hold after a step. */
export const simulate = (seed: number, steps = 60): void => {
  const world = createWorld(seed, variants)
  const { random } = world
  const keeper = createKeeper(world)
  const rules = createRules(world)
  const workers: Worker[] = []
  let names = 0

  const start = (): void => {
    names += 1
    workers.push(createWorker(world, `w${names}`, keeper.connect))
  }

  const one = <T>(list: readonly T[]): T | undefined => list[random.below(list.length)]

  const runTask = (): boolean => {
    const [task] = world.tasks.splice(random.below(world.tasks.length), 1)
    task?.run()
    return task !== undefined
  }

  const toKeeper = (): boolean => {
    const channel = one([...keeper.channels].filter(({ up }) => up.length > 0))
    return channel !== undefined && keeper.receive(channel)
  }

  const toWorker = (): boolean => {
    const worker = one(workers.filter(({ channel }) => channel().isDead || channel().down.length > 0))
    return worker?.receive() ?? false
  }

  const replace = (): void => {
    const before = world.limits
    const limits: readonly Limit[] = one(variants) ?? variants[0]
    keeper.replace(limits, world.ledger.balances)
    rules.replaced(before, keeper.lender())
  }

  const die = (): void => {
    const [worker] = workers.splice(random.below(workers.length), 1)
    worker?.die()
    start()
  }

  const step = (): void => {
    const choice = random.below(100)
    if (choice < 24) one(workers)?.arrive()
    else if (choice < 28) keeper.arrive()
    else if (choice < 48) toKeeper()
    else if (choice < 64) toWorker()
    else if (choice < 72) one(workers)?.end()
    else if (choice < 84) runTask()
    else if (choice < 91) world.now += one(waits) ?? 0
    else if (choice < 93) keeper.expire()
    else if (choice < 95) one(workers)?.giveBackIdle()
    else if (choice < 97) die()
    else if (choice < 98) keeper.crash()
    else if (choice < 99) replace()
    else world.now += 20 * 60_000
  }

  const settleDown = (): void => {
    for (;;) {
      const isIdle = [toKeeper(), toWorker(), runTask(), ...workers.map(({ end }) => end())].every(
        (did) => !did,
      )
      if (isIdle) return
    }
  }

  for (let count = 1 + random.below(workersMax); count > 0; count -= 1) start()
  for (let each = 0; each < steps; each += 1) {
    step()
    rules.check(keeper.lender())
    checkLent(world, keeper, workers, rules)
  }
  settleDown()
  world.now += 2 * leaseMs
  keeper.expire()
  settleDown()
  for (const worker of workers) worker.giveBackIdle()
  settleDown()
  rules.check(keeper.lender())
  checkEnd(world, keeper, rules)
}
