import { setTimeout as sleep } from 'node:timers/promises'
import type OpenAI from 'openai'
import { randomFrom } from '../../src/sandbox/random.ts'
import { textOfTokens } from '../../src/sandbox/replies.ts'

/** `npm run proof` runs the proofs in a long form; `npm test` in a short one. */
export const longForm = process.env.OCTROI_PROOF === 'long'

/** Numbers that are the same at each run. */
export const seeded = (...seed: readonly string[]) => randomFrom('proof', ...seed)

/** Waits until something holds, looking again and again for at most 20 seconds. */
export const until = async (holds: () => boolean): Promise<void> => {
  for (let looks = 0; looks < 200; looks += 1) {
    if (holds()) return
    await sleep(100)
  }
  throw new Error('It does not come to hold.')
}

/** Does all tasks, `together` at a time. The first that fails stops the others from beginning. */
export const doAll = async (tasks: readonly (() => Promise<void>)[], together: number): Promise<void> => {
  const waiting = [...tasks].reverse()
  const work = async (): Promise<void> => {
    for (let task = waiting.pop(); task !== undefined; task = waiting.pop()) {
      try {
        await task()
      } catch (error) {
        waiting.length = 0
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: together }, work))
}

/** The same order at each run, and none that helps. */
export const shuffled = <T>(list: readonly T[], seed: string): readonly T[] => {
  const random = seeded('shuffle', seed)
  return list
    .map((each) => ({ each, place: random.whole({ least: 0, most: 1_000_000_000 }) }))
    .sort((a, b) => a.place - b.place)
    .map(({ each }) => each)
}

/** The header of the Assistants API of November 2023. */
export const beta = { 'OpenAI-Beta': 'assistants=v1' }

/** Polls a run until it is completed. */
export const completed = async (
  client: OpenAI,
  run: Pick<OpenAI.Beta.Threads.Run, 'id' | 'thread_id'>,
): Promise<void> => {
  for (let polls = 0; polls < 2_000; polls += 1) {
    const { status } = await client.beta.threads.runs.retrieve(
      run.id,
      { thread_id: run.thread_id },
      { headers: beta },
    )
    if (status === 'completed') return
    if (status !== 'queued' && status !== 'in_progress') throw new Error(`The run ended as ${status}.`)
    await sleep(5)
  }
  throw new Error('The run does not end.')
}

const foreign = [
  'Combien coûte une conversation qui répète toute son histoire à chaque tour ?',
  'Grüße aus Köln – ein Brötchen kostet 1,20 €.',
  '一次对话要花多少钱？',
  '👩‍🚀🚀 emoji and   odd\t\twhite space\n\n\nand </code> = [1, 2, 3];',
]

/** What a user says: plain words of a length, or now and then something that is harder to count. */
export const saying = (seed: string): string => {
  const random = seeded('saying', seed)
  const text = textOfTokens(random.whole({ least: 5, most: 120 }), seed)
  const extra = random.whole({ least: 0, most: 3 * foreign.length })
  return `${text} ${foreign[extra] ?? ''}`
}
