import { OctroiError } from '../errors.ts'
import { type ControlAddress, type DataFolder, findControl, openDataFolder } from '../gateway/data-folder.ts'

/** A data folder that is open for writing, or the control plane of the gateway that holds it. */
type FolderOrControl =
  | { readonly data: DataFolder; readonly control: null }
  | { readonly data: null; readonly control: ControlAddress }

/** Opens a data folder, or finds who holds it. Throws `ledger_locked` where that is a process without a control
 * plane. */
export const openFolderOrControl = async (folder: string): Promise<FolderOrControl> => {
  try {
    return { data: await openDataFolder(folder), control: null }
  } catch (error) {
    if (!(error instanceof OctroiError) || error.code !== 'ledger_locked') throw error
    const control = await findControl(folder)
    if (control === null) throw error
    return { data: null, control }
  }
}

/** Asks a control plane; with a body, which is JSON, it is told, by `POST` where no other method is named. Throws `ledger_locked` where nobody answers, and
 * `bad_input` or `policy_outdated` with the message of a refusal. */
export const askControl = async <Answer>(
  { url, token }: ControlAddress,
  path: string,
  body?: string,
  method: 'POST' | 'PUT' = 'POST',
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> => {
  const reply = await fetch(url + path, {
    headers: {
      ...headers,
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { method, body }),
  }).catch(() => {
    throw new OctroiError('ledger_locked', `The gateway at ${url} holds the ledger and does not answer.`)
  })
  const answer = (await reply.json()) as Answer & { error?: { code: string; message: string } }
  if (!reply.ok) {
    const said = answer.error?.code
    const code =
      said === 'policy_outdated' || said === 'period_closed' || said === 'bill_unexplained'
        ? said
        : 'bad_input'
    throw new OctroiError(code, answer.error?.message ?? `The gateway answered ${reply.status}.`)
  }
  return answer
}
