import type { Run } from './objects.ts'
import { bill, type World } from './world.ts'

/** A code interpreter session lasts an hour, for one thread: the vendor's price page of November 2023. */
export const sessionMs = 3_600_000

/** A run calls the code interpreter. The first call of a thread opens a session, which is billed then; a call
 * inside its hour is the same session, one at its very end opens the next. */
export const useSession = (world: World, run: Run): void => {
  const [at, newest] = [world.clock.now(), world.state.session(run.thread_id)]
  if (newest !== null && newest <= at && at < newest + sessionMs) return
  world.state.openSession({ thread: run.thread_id, from: at })
  bill(world, {
    wire: 'assistants',
    id: run.id,
    requestId: null,
    model: null,
    user: null,
    usage: { code_interpreter_session: 1 },
  })
}
