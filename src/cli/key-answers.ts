import type { Io } from './command.ts'
import { formatJson } from './json.ts'
import type { ShownKey } from './keys.ts'

type Options = Readonly<Record<string, unknown>>

/** Tells a new secret, once. */
export const sayCreated = (
  { created, said }: { created: { readonly secret: string; readonly key: ShownKey }; said: string },
  options: Options,
  io: Io,
): number => {
  if (options['json'] === true) io.out(`${formatJson(created)}\n`)
  else {
    io.out(`${created.secret}\n`)
    io.err(`octroi: ${said}. The secret is not shown again.\n`)
  }
  return 0
}

/** Tells what has become of a key. */
export const sayChanged = (
  { key, said }: { key: ShownKey; said: string },
  options: Options,
  io: Io,
): number => {
  if (options['json'] === true) io.out(`${formatJson({ key })}\n`)
  else io.err(`octroi: ${said}\n`)
  return 0
}
