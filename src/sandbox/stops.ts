import { shown } from './arguments.ts'
import { Refusal } from './refusal.ts'

const stopsMax = 4

/** The stop sequences of a request: none, one, or up to four. Throws the vendor's refusal. */
export const readStops = (stop: unknown): readonly string[] => {
  if (stop === undefined || stop === null) return []
  const list: readonly unknown[] = Array.isArray(stop) ? stop : [stop]
  const texts = list.filter((each) => typeof each === 'string')
  if (texts.length < list.length) throw new Refusal(400, `${shown(stop)} is not of type 'string' - 'stop'`)
  if (list.length > stopsMax) throw new Refusal(400, `${shown(stop)} is too long - 'stop'`)
  return texts.filter((text) => text !== '')
}

/** The tokens of a reply, and why there are no more. */
export type Ended = { readonly pieces: readonly string[]; readonly finish: 'stop' | 'length' }

/** The reply ends with its last whole token before the first stop sequence, or where there is no more room. */
export const stopAt = (stops: readonly string[], pieces: readonly string[], room: number): Ended => {
  const said = pieces.slice(0, room)
  const text = said.join('')
  const ends = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0)
  if (ends.length === 0) return { pieces: said, finish: room < pieces.length ? 'length' : 'stop' }
  const end = Math.min(...ends)
  let kept = 0
  let length = said[0]?.length ?? 0
  while (kept < said.length && length <= end) {
    kept += 1
    length += said[kept]?.length ?? 0
  }
  return { pieces: said.slice(0, kept), finish: 'stop' }
}
