import type { Assistant, FileObject, Run } from './objects.ts'
import type { World } from './world.ts'

/** What is stored for retrieval, and for whom. The vendor bills it by gigabyte, assistant and day, however many
 * users and threads read it (its page on retrieval, December 2023, as copied in public repositories):
 *
 * - a file of an assistant is stored for it while it is attached and the assistant has the retrieval tool;
 * - a file of a message is stored for an assistant from the first run of that assistant on the thread in
 *   which the retrieval tool is enabled, until the file, the thread or the assistant is deleted;
 * - a file that an assistant has both ways is stored once. */

/** Stores the files of an assistant for it, and no longer those that were taken away; none without the
 * retrieval tool. */
export const heldByAssistant = (
  world: World,
  assistant: Assistant,
  files: { readonly attached: readonly FileObject[]; readonly takenAway: readonly string[] },
): void => {
  const { id } = assistant
  const at = world.clock.now()
  if (!hasRetrieval(assistant)) {
    world.state.release({ source: id }, at)
    return
  }
  for (const file of files.takenAway) world.state.release({ assistant: id, file, source: id }, at)
  for (const { id: file, bytes } of files.attached) {
    world.state.hold({ assistant: id, file, source: id, bytes, from: at })
  }
}

const hasRetrieval = ({ tools }: Pick<Assistant, 'tools'>): boolean =>
  tools.some(({ type }) => type === 'retrieval')

/** A run begins: what messages of its thread brought is stored for its assistant from now on. */
export const heldByRun = (
  world: World,
  run: Run,
  files: readonly { readonly id: string; readonly bytes: number }[],
): void => {
  if (!hasRetrieval(run)) return
  for (const { id: file, bytes } of files) {
    const { assistant_id: assistant, thread_id: source } = run
    world.state.hold({ assistant, file, source, bytes, from: world.clock.now() })
  }
}

export const releaseFile = (world: World, file: string): void =>
  world.state.release({ file }, world.clock.now())

export const releaseAssistant = (world: World, assistant: string): void =>
  world.state.release({ assistant }, world.clock.now())

export const releaseThread = (world: World, thread: string): void =>
  world.state.release({ source: thread }, world.clock.now())
