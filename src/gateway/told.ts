import type { Told } from '../endpoints/endpoint.ts'
import { type Json, member, textOf } from '../endpoints/json.ts'
import type { Target } from './route.ts'

/** What of a request does not stand in its body: what its path says, and the model that a name of the operator's
 * stands for. Null where there is nothing. */
export const toldBy = ({ route, params, upstream }: Target, request: Json): Told | null => {
  const said = route.told?.(params) ?? {}
  const name = textOf(said['model'] ?? member(request, 'model')) ?? ''
  const { models = {} } = upstream
  const model = Object.hasOwn(models, name) ? models[name] : undefined
  const told = model === undefined ? said : { ...said, model }
  return Object.keys(told).length === 0 ? null : told
}

/** The same body with what was told at its end, where it holds whatever the body says itself. The body is a JSON
 * object, as it was read before. */
export const bodyWith = (body: Uint8Array, told: Told | null): Uint8Array => {
  if (told === null) return body
  const text = Buffer.from(body)
  const end = text.lastIndexOf('}')
  if (end === -1) return Buffer.from(JSON.stringify(told))
  const before = text.subarray(0, end)
  const separator = /\{\s*$/.test(before.subarray(-100).toString('latin1')) ? '' : ','
  return Buffer.concat([before, Buffer.from(separator + JSON.stringify(told).slice(1))])
}
