import { stat } from 'node:fs/promises'
import { type ControlAddress, ledgerFile } from '../gateway/data-folder.ts'
import { readGrace, readKeyChanges, readNewKey, shownKey } from '../gateway/key-requests.ts'
import { type Key, openKeys } from '../gateway/registry/keys.ts'
import { openRegistry, registryStore } from '../gateway/registry/registry.ts'
import { openSqlite } from '../ledger/databases/sqlite.ts'
import { clockFrom } from './clock.ts'
import { askControl, openFolderOrControl } from './control.ts'

/** A key as it is shown. */
export type ShownKey = ReturnType<typeof shownKey>

type Created = { readonly secret: string; readonly key: ShownKey }

/** Keys of a data folder, by whichever way is open: the folder itself, or the control plane of the gateway
 * that holds it. Bodies are as the control plane takes them. */
export type KeyStore = {
  readonly create: (body: object) => Promise<Created>
  readonly list: () => Promise<readonly ShownKey[]>
  readonly update: (id: string, body: object) => Promise<ShownKey>
  readonly rotate: (id: string, body: object) => Promise<Created>
  readonly revoke: (id: string) => Promise<ShownKey>
}

/** Opens the keys of a folder, does something with them, and closes it again. */
export const withKeys = async <Result>(
  folder: string,
  use: (keys: KeyStore) => Promise<Result>,
): Promise<Result> => {
  const { data, control } = await openFolderOrControl(folder)
  if (data === null) return use(overControl(control))
  try {
    const registry = await openRegistry(data.database, data.pepper)
    const clock = clockFrom(undefined)
    return await use({
      create: async (body) => {
        const { secret, key } = await registry.createKey(readNewKey(body), clock.now())
        return { secret, key: shownKey(key) }
      },
      list: async () => registry.listKeys().map(shownKey),
      update: async (id, body) => shownKey(await registry.updateKey(id, readKeyChanges(body))),
      rotate: async (id, body) => {
        const { secret, key } = await registry.rotateKey(id, { at: clock.now(), graceMs: readGrace(body) })
        return { secret, key: shownKey(key) }
      },
      revoke: async (id) => shownKey(await registry.revokeKey(id, clock.now())),
    })
  } finally {
    await data.database.close()
  }
}

/** Reads the keys of a folder beside whoever writes it, and writes nothing; none where there is no folder, null where an
 * older version has written it. */
export const readKeys = async (folder: string): Promise<readonly Key[] | null> => {
  const file = ledgerFile(folder)
  if (!(await isThere(file))) return []
  const database = await openSqlite({ file, stores: [registryStore], readOnly: true })
  try {
    return (await openKeys(database, (secret) => secret)).listKeys()
  } catch {
    return null
  } finally {
    await database.close()
  }
}

const isThere = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  )

const overControl = (control: ControlAddress): KeyStore => {
  const ask = <Answer>(path: string, body: object): Promise<Answer> =>
    askControl(control, `/octroi/v1/keys${path}`, JSON.stringify(body))
  const at = (id: string): string => `/${encodeURIComponent(id)}`
  return {
    create: (body) => ask('', body),
    list: async () => (await askControl<{ keys: readonly ShownKey[] }>(control, '/octroi/v1/keys')).keys,
    update: async (id, body) => (await ask<{ key: ShownKey }>(at(id), body)).key,
    rotate: (id, body) => ask(`${at(id)}/rotate`, body),
    revoke: async (id) => (await ask<{ key: ShownKey }>(`${at(id)}/revoke`, {})).key,
  }
}
