/** An answer that refuses, in the vendor's shape. Thrown by whatever reads a request. */
export class Refusal extends Error {
  readonly status: number
  readonly type: string
  readonly param: string | null
  readonly code: string | null

  constructor(
    status: number,
    message: string,
    { type = 'invalid_request_error', param = null, code = null }: RefusalDetails = {},
  ) {
    super(message)
    this.name = 'Refusal'
    this.status = status
    this.type = type
    this.param = param
    this.code = code
  }
}

type RefusalDetails = {
  readonly type?: string
  readonly param?: string | null
  readonly code?: string | null
}

/** The body of a refusal: `{"error": {message, type, param, code}}`. */
export const refusalBody = ({ message, type, param, code }: Refusal) => ({
  error: { message, type, param, code },
})
