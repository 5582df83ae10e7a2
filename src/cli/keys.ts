import { OctroiError } from '../errors.ts'
import { shownKey } from '../gateway/control.ts'
import { findControl, openDataFolder } from '../gateway/data-folder.ts'
import { type KeyOwner, openRegistry } from '../gateway/registry/registry.ts'
import { clockFrom } from './clock.ts'

/** A key as it is shown. */
export type ShownKey = ReturnType<typeof shownKey>

/** Keys of a data folder, by whichever way is open: the folder itself, or the control plane of the gateway
 * that holds it. */
export type KeyStore = {
  readonly create: (owner: KeyOwner) => Promise<{ secret: string; key: ShownKey }>
  readonly list: () => Promise<readonly ShownKey[]>
  readonly revoke: (id: string) => Promise<ShownKey>
}

/** Opens the keys of a folder, does something with them, and closes it again. */
export const withKeys = async <Result>(
  folder: string,
  use: (keys: KeyStore) => Promise<Result>,
): Promise<Result> => {
  const data = await openDataFolder(folder).catch((error: unknown) => {
    if (error instanceof OctroiError && error.code === 'ledger_locked') return error
    throw error
  })
  if (data instanceof OctroiError) {
    const url = await findControl(folder)
    if (url === null) throw data
    return use(overControl(url))
  }
  try {
    const registry = await openRegistry(data.database, data.pepper)
    const clock = clockFrom(undefined)
    return await use({
      create: async (owner) => {
        const { secret, key } = await registry.createKey(owner, clock.now())
        return { secret, key: shownKey(key) }
      },
      list: async () => registry.listKeys().map(shownKey),
      revoke: async (id) => shownKey(await registry.revokeKey(id, clock.now())),
    })
  } finally {
    await data.database.close()
  }
}

const overControl = (url: string): KeyStore => {
  const ask = async <Answer>(path: string, body?: object): Promise<Answer> => {
    const reply = await fetch(url + path, {
      ...(body !== undefined && {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    }).catch(() => {
      throw new OctroiError('ledger_locked', `The gateway at ${url} holds the ledger and does not answer.`)
    })
    const answer = (await reply.json()) as Answer & { error?: { code: string; message: string } }
    if (!reply.ok)
      throw new OctroiError('bad_input', answer.error?.message ?? `The gateway answered ${reply.status}.`)
    return answer
  }
  return {
    create: (owner) => ask('/octroi/v1/keys', owner),
    list: async () => (await ask<{ keys: readonly ShownKey[] }>('/octroi/v1/keys')).keys,
    revoke: async (id) =>
      (await ask<{ key: ShownKey }>(`/octroi/v1/keys/${encodeURIComponent(id)}/revoke`, {})).key,
  }
}
