import { errorCodes, OctroiError } from '../errors.ts'
import type { Io } from './command.ts'
import { reportError } from './errors.ts'
import type { Item, Items } from './items.ts'
import { formatJson } from './json.ts'

/** How a command answers its items: with what, when something of it has no price, and how it is printed. */
export type Answering<Answer> = {
  readonly json: boolean
  readonly answer: (value: unknown) => Answer | Promise<Answer>
  readonly isUnpriced: (answer: Answer) => boolean
  readonly toJson: (answer: Answer) => unknown
  readonly toTable: (answer: Answer) => string
}

/** Answers items and prints the answers in the form in which they came. Of JSON Lines every line is answered, a
 * bad one with its error. Returns the exit code: 1 where a line was bad, 4 where something has no price. Throws
 * the error of a bad item of any other form, with nothing printed. */
export const answerItems = async <Answer>(
  { form, items }: Items,
  { json, answer, isUnpriced, toJson, toTable }: Answering<Answer>,
  io: Pick<Io, 'out' | 'err' | 'environment' | 'signal'>,
): Promise<number> => {
  const answers: Answer[] = []
  let [bad, unpriced] = [0, 0]
  for await (const item of items) {
    if (io.signal.aborted) return errorCodes.internal.exit
    const answered = await answerItem(item, answer)
    if ('error' in answered) {
      if (form !== 'lines') throw answered.error
      bad += 1
      reportError(answered.error, io)
      const { code, message } = answered.error
      if (json) io.out(`${formatJson({ error: { code, message } }, { indent: 0 })}\n`)
      continue
    }
    if (isUnpriced(answered.answer)) unpriced += 1
    if (json && form === 'lines') io.out(`${formatJson(toJson(answered.answer), { indent: 0 })}\n`)
    else answers.push(answered.answer)
  }
  if (!json) io.out(answers.map(toTable).join('\n'))
  else if (form === 'object') io.out(answers.map((each) => `${formatJson(toJson(each))}\n`).join(''))
  else if (form === 'array') io.out(`${formatJson(answers.map(toJson))}\n`)
  return bad > 0 ? 1 : unpriced > 0 ? errorCodes.unpriced.exit : 0
}

const answerItem = async <Answer>(
  item: Item,
  answer: Answering<Answer>['answer'],
): Promise<{ readonly answer: Answer } | { readonly error: OctroiError }> => {
  if ('error' in item) return item
  try {
    return { answer: await answer(item.value) }
  } catch (error) {
    if (!(error instanceof OctroiError)) throw error
    return { error: new OctroiError(error.code, `${item.place}: ${error.message}`, error.details) }
  }
}
