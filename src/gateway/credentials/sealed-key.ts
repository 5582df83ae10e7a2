import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { OctroiError } from '../../errors.ts'
import type { Instant } from '../../time.ts'

/** A vendor's key as it lies on the disk. */
export type SealedKey = {
  readonly upstream: string
  readonly nonce: Uint8Array
  readonly sealed: Uint8Array
  readonly setAt: Instant
}

const cipher = 'aes-256-gcm'
const tagBytes = 16

/** The name of the environment variable that holds the master key. */
export const masterKeyVariable = 'OCTROI_MASTER_KEY'

/** Reads a master key: 32 bytes in base64. Null where there is none. Throws `bad_input`. */
export const readMasterKey = (
  written: string | undefined,
  variable = masterKeyVariable,
): Uint8Array | null => {
  if (written === undefined || written === '') return null
  const key = Buffer.from(written, 'base64')
  if (key.length === 32 && /^[A-Za-z0-9+/_-]{43}=?$/.test(written)) return key
  throw new OctroiError('bad_input', `${variable} is no master key. Make one with: openssl rand -base64 32`)
}

/** Seals a key for an upstream, each time with another nonce. */
export const seal = (
  master: Uint8Array,
  { upstream, key, setAt }: { readonly upstream: string; readonly key: string; readonly setAt: Instant },
): SealedKey => {
  const nonce = randomBytes(12)
  const sealing = createCipheriv(cipher, master, nonce).setAAD(Buffer.from(upstream))
  const sealed = Buffer.concat([sealing.update(key, 'utf8'), sealing.final(), sealing.getAuthTag()])
  return { upstream, nonce, sealed, setAt }
}

/** Opens it. Throws `bad_input` where the master key is another, or what is on the disk was changed. */
export const unseal = (master: Uint8Array, { upstream, nonce, sealed }: SealedKey): string => {
  try {
    const opening = createDecipheriv(cipher, master, nonce, { authTagLength: tagBytes })
      .setAAD(Buffer.from(upstream))
      .setAuthTag(sealed.slice(-tagBytes))
    return opening.update(sealed.slice(0, -tagBytes), undefined, 'utf8') + opening.final('utf8')
  } catch {
    throw new OctroiError(
      'bad_input',
      `The stored key of "${upstream}" does not open: ${masterKeyVariable} is another than it was sealed with, or the file was changed. Set the right one, or remove the key and set it again.`,
    )
  }
}
