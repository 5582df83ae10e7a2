/** What was said between two instants of a sound, in seconds. */
export type Segment = { readonly start: number; readonly end: number; readonly text: string }

/** Segments as SubRip or WebVTT. */
export const subtitles = (format: 'srt' | 'vtt', segments: readonly Segment[]): string => {
  const mark = format === 'srt' ? ',' : '.'
  const lines = segments.map(({ start, end, text }, index) => {
    const number = format === 'srt' ? `${index + 1}\n` : ''
    return `${number}${instant(start, mark)} --> ${instant(end, mark)}\n${text}\n\n`
  })
  return (format === 'vtt' ? 'WEBVTT\n\n' : '') + lines.join('')
}

/** `00:01:02,500` */
const instant = (seconds: number, mark: string): string => {
  const all = Math.round(seconds * 1000)
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0')
  const clock = [all / 3_600_000, (all / 60_000) % 60, (all / 1000) % 60].map(two).join(':')
  return clock + mark + String(all % 1000).padStart(3, '0')
}
