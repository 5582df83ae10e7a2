import { OctroiError } from '../errors.ts'
import { openCredentials } from '../gateway/credentials/credentials.ts'
import { readMasterKey } from '../gateway/credentials/sealed-key.ts'
import { openRegistry } from '../gateway/registry/registry.ts'
import { formatInstant } from '../time.ts'
import { clockFrom } from './clock.ts'
import type { Io } from './command.ts'
import { askControl, openFolderOrControl } from './control.ts'

/** A stored key of a vendor, as it is shown. */
export type ShownProviderKey = { readonly upstream: string; readonly ends: string; readonly setAt: string }

/** The stored keys of vendors, by whichever way is open. */
export type ProviderKeyStore = {
  readonly list: () => Promise<readonly ShownProviderKey[]>
  readonly set: (upstream: string, key: string) => Promise<void>
  readonly remove: (upstream: string) => Promise<void>
}

/** Opens them, does something with them, and closes them again. */
export const withProviderKeys = async <Result>(
  folder: string,
  { environment }: Pick<Io, 'environment'>,
  use: (keys: ProviderKeyStore) => Promise<Result>,
): Promise<Result> => {
  const { data, control } = await openFolderOrControl(folder)
  if (data === null) {
    const path = '/octroi/v1/provider-keys'
    const at = (upstream: string): string => `${path}/${encodeURIComponent(upstream)}`
    return use({
      list: async () => (await askControl<{ keys: readonly ShownProviderKey[] }>(control, path)).keys,
      set: async (upstream, key) => {
        await askControl(control, at(upstream), JSON.stringify({ key }))
      },
      remove: async (upstream) => {
        await askControl(control, `${at(upstream)}/remove`, '{}')
      },
    })
  }
  try {
    await openRegistry(data.database, data.pepper)
    const credentials = await openCredentials(data.database, readMasterKey(environment['OCTROI_MASTER_KEY']))
    const clock = clockFrom(undefined)
    return await use({
      list: async () =>
        credentials.list().map(({ setAt, ...rest }) => ({ ...rest, setAt: formatInstant(setAt) })),
      set: (upstream, key) => credentials.set(upstream, key, clock.now()),
      remove: credentials.remove,
    })
  } finally {
    await data.database.close()
  }
}

/** Seals all stored keys with another master key. Throws `ledger_locked` while a gateway holds the folder: it would go on
 * with the old one. */
export const rekey = async (folder: string, { environment }: Pick<Io, 'environment'>): Promise<number> => {
  const next = readMasterKey(environment['OCTROI_NEW_MASTER_KEY'], 'OCTROI_NEW_MASTER_KEY')
  if (next === null) {
    throw new OctroiError('bad_input', 'Set OCTROI_NEW_MASTER_KEY to the master key that is to come.')
  }
  const { data } = await openFolderOrControl(folder)
  if (data === null) {
    throw new OctroiError(
      'ledger_locked',
      'A gateway holds this folder. Stop it first: it has the old master key.',
    )
  }
  try {
    const credentials = await openCredentials(data.database, readMasterKey(environment['OCTROI_MASTER_KEY']))
    return await credentials.rekey(next)
  } finally {
    await data.database.close()
  }
}

/** Reads a key from standard input. Throws `bad_input` on a terminal, which would show it. */
export const readSecret = async (io: Pick<Io, 'stdin'>): Promise<string> => {
  if ('isTTY' in io.stdin && io.stdin.isTTY === true) {
    throw new OctroiError(
      'bad_input',
      'A key is read from standard input, so that no terminal shows it and no history keeps it: octroi provider-keys set NAME < FILE',
    )
  }
  let written = ''
  for await (const part of io.stdin) {
    written += String(part)
    if (written.length > 10_000) throw new OctroiError('bad_input', 'What came is too long for a key.')
  }
  return written
}
