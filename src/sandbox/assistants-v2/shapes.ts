import type { Assistant, Message, Run, Step, Thread } from '../objects.ts'
import { seconds, type World } from '../world.ts'
import type { MessageAttachment, MessageV2, Sampling } from './objects-v2.ts'

// Objects as v2 shows them: without what only v1 had.

/** What the vendor takes where nothing is said. */
export const samplingUnlessSaid: Sampling = { temperature: 1, top_p: 1, response_format: 'auto' }

export const shownAssistant = ({ file_ids, v2, ...rest }: Assistant) => ({
  ...rest,
  ...(v2 ?? { ...samplingUnlessSaid, tool_resources: {} }),
})

export const shownThread = ({ v2, ...rest }: Thread) => ({
  ...rest,
  tool_resources: v2?.tool_resources ?? {},
})

export const shownMessage = ({ file_ids, v2, ...rest }: Message) => {
  const { parts = [], ...more } = v2 ?? {}
  const content =
    parts.length > 1
      ? parts.map((value) => ({ type: 'text' as const, text: { value, annotations: [] } }))
      : rest.content
  return { ...rest, content, ...more }
}

export const shownRun = ({ file_ids, v2, ...rest }: Run) => ({ ...rest, ...v2 })

/** The usage of a step is told when the step is over. */
export const shownStep = ({ v2, ...rest }: Step) => ({
  ...rest,
  usage: rest.status === 'in_progress' ? null : (v2?.usage ?? null),
})

/** What a message is when its last word is written; one that was cut at the completion tokens of its run is
 * incomplete. */
export const ended = (
  world: World,
  {
    cut = false,
    attachments = [],
    parts = [],
  }: {
    readonly cut?: boolean
    readonly attachments?: readonly MessageAttachment[]
    readonly parts?: readonly string[]
  },
): MessageV2 => {
  const at = seconds(world)
  return {
    status: cut ? 'incomplete' : 'completed',
    incomplete_details: cut ? { reason: 'max_tokens' } : null,
    completed_at: cut ? null : at,
    incomplete_at: cut ? at : null,
    attachments,
    parts,
  }
}
