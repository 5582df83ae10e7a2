/** What a bar needs: the bytes there are in all, who shows it, and a clock in milliseconds. */
export type BarOptions = {
  readonly size: number
  readonly show: (text: string) => void
  readonly now: () => number
}

/** Work that takes less than this shows no bar; a bar is drawn anew after so long, not sooner. */
const patienceMs = 500
const pauseMs = 100

/** Passes chunks on and shows how much of them has been asked for. The bar is gone when they end, or when the reader
 * stops. */
export async function* withBar(
  chunks: AsyncIterable<Uint8Array>,
  { size, show, now }: BarOptions,
): AsyncGenerator<Uint8Array> {
  const begun = now()
  let [read, next] = [0, begun + patienceMs]
  try {
    for await (const chunk of chunks) {
      const time = now()
      if (time >= next && read > 0) {
        show(barText({ read, size, passedMs: time - begun }))
        next = time + pauseMs
      }
      yield chunk
      read += chunk.length
    }
  } finally {
    show('')
  }
}

const width = 30

/** `[=========>                    ]  33 %, 12 s left`: what has been read, and how long the rest takes at that rate. A file
 * that grew meanwhile stays at 100 %. */
export const barText = ({
  read,
  size,
  passedMs,
}: {
  readonly read: number
  readonly size: number
  readonly passedMs: number
}): string => {
  const part = size === 0 ? 1 : Math.min(1, read / size)
  const filled = Math.floor(part * width)
  const bar = `${'='.repeat(filled)}${filled < width ? '>' : ''}`.padEnd(width)
  const leftSeconds = part === 0 ? 0 : Math.ceil((passedMs * (1 - part)) / part / 1000)
  return `[${bar}] ${String(Math.floor(part * 100)).padStart(3)} %, ${leftSeconds} s left`
}
