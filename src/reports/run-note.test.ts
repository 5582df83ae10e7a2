import { expect, it } from 'vitest'
import { parseInstant } from '../time.ts'
import { formatRunNote, readRunNote } from './run-note.ts'

const counted = {
  status: 'completed',
  endedAt: parseInstant('2023-11-15T12:00:05Z'),
  rule: 'openai-chat/gpt-4',
  low: { input_text_tokens: 1_050, output_text_tokens: 200 },
  high: { input_text_tokens: 3_098, output_text_tokens: 328 },
}

it('a run that was counted says when it ended, and between what the truth is', () => {
  const note = formatRunNote(counted)
  expect(note).toBe(
    'run completed; no usage on runs; counted: openai-chat/gpt-4; ended 2023-11-15T12:00:05Z; ' +
      'interval: input_text_tokens 1050..3098, output_text_tokens 200..328',
  )
  expect(readRunNote(`${note}; and more`)).toEqual({
    endedAt: counted.endedAt,
    ranges: new Map([
      ['input_text_tokens', { low: 1_050, high: 3_098 }],
      ['output_text_tokens', { low: 200, high: 328 }],
    ]),
  })
})

it('a run without an end or an upper bound says neither', () => {
  const note = formatRunNote({ ...counted, status: 'expired', endedAt: null, high: null })
  expect(readRunNote(note)).toEqual({
    endedAt: null,
    ranges: new Map([
      ['input_text_tokens', { low: 1_050, high: null }],
      ['output_text_tokens', { low: 200, high: null }],
    ]),
  })
})

it.each([null, '', 'upstream cut', 'ended yesterday', 'interval: unknown'])(
  'the note %j says nothing',
  (note) => {
    expect(readRunNote(note)).toEqual({ endedAt: null, ranges: new Map() })
  },
)
