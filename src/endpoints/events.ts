/** One server-sent event: its type, where it has an `event` line, and its data. */
export type ServerEvent = { readonly type: string | null; readonly data: string }

/** Reads one event with the blank line that ends it. Null where it has no data: comments that keep a
 * connection open, or nothing at all. */
export const readEvent = (text: string): ServerEvent | null => {
  let type: string | null = null
  let data: string | null = null
  for (const line of text.split('\n')) {
    if (line.startsWith('data:')) data = data === null ? fieldOf(line, 5) : `${data}\n${fieldOf(line, 5)}`
    else if (line.startsWith('event:')) type = fieldOf(line, 6)
  }
  return data === null ? null : { type, data: data.trim() }
}

const fieldOf = (line: string, from: number): string => {
  const start = line[from] === ' ' ? from + 1 : from
  return line.endsWith('\r') ? line.slice(start, -1) : line.slice(start)
}
