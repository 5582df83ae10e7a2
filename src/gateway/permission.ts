import { OctroiError } from '../errors.ts'
import { isAllowed, type Key } from './registry/keys.ts'

/** Lets a key use an endpoint. Throws `not_allowed`. Calls without a key may use every one. */
export const permitEndpoint = (key: Key | null, endpoint: string): void => {
  if (key !== null && !isAllowed(key.endpoints, endpoint)) {
    throw refusal(key, { what: `the endpoint ${endpoint}`, option: '--endpoints' })
  }
}

/** Lets a key use a model, by the name it is priced under. Throws `not_allowed`. */
export const permitModel = (key: Key | null, model: string): void => {
  if (key !== null && !isAllowed(key.models, model)) {
    throw refusal(key, { what: `the model "${model.slice(0, 80)}"`, option: '--models' })
  }
}

const refusal = (key: Key, { what, option }: { what: string; option: string }): OctroiError =>
  new OctroiError(
    'not_allowed',
    `The Octroi key ${key.id} may not use ${what}. Its operator allows it with: octroi keys update ${key.id} ${option} ...`,
    { key: key.id },
  )
