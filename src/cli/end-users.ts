import type { EndUsers } from '../gateway/registry/end-users.ts'
import { openRegistry } from '../gateway/registry/registry.ts'
import { askControl, openFolderOrControl } from './control.ts'

/** End users of a data folder, by whichever way is open. */
type EndUserStore = Pick<EndUsers, 'findEndUser' | 'forgetEndUser'>

/** Opens the end users of a folder, or finds the gateway that holds it, and does something with them. */
export const withEndUsers = async <Result>(
  folder: string,
  use: (users: EndUserStore) => Promise<Result>,
): Promise<Result> => {
  const { data, control } = await openFolderOrControl(folder)
  if (data === null) {
    const ask = <Answer>(verb: string, endUser: string): Promise<Answer> =>
      askControl(control, `/octroi/v1/end-users/${verb}`, JSON.stringify({ endUser }))
    return use({
      findEndUser: async (name) => (await ask<{ pseudonym: string | null }>('find', name)).pseudonym,
      forgetEndUser: async (name) => (await ask<{ forgotten: boolean }>('forget', name)).forgotten,
    })
  }
  try {
    return await use(await openRegistry(data.database, data.pepper))
  } finally {
    await data.database.close()
  }
}
