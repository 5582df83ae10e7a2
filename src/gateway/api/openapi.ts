import { z } from 'zod'
import { type ErrorCode, errorCodes } from '../../errors.ts'
import {
  errorAnswer,
  keyAnswer,
  limitAnswer,
  nothingAnswer,
  quoteAnswer,
  reservationAnswer,
} from './answers.ts'
import { controlOperations } from './control-operations.ts'
import { dataOperations } from './data-operations.ts'
import { limitSchema } from './limit-schema.ts'
import { type Operation, type Operations, unread } from './operation.ts'

/** The description of what Octroi answers over HTTP, in OpenAPI 3.1.1 (spec.openapis.org/oas/v3.1.1): the control plane,
 * and what the data port has of its own. Bodies are described by the schemas that read them. */
export const openApi = (): object => {
  const named = nameSchemas()
  const paths: Record<string, Record<string, object>> = {}
  for (const port of ports) {
    for (const [asked, operation] of Object.entries(port.operations)) {
      const [method = '', path = ''] = asked.split(' ')
      const described = operationOf(asked, operation, port, named.refOf)
      paths[path] = { ...paths[path], servers: [port.server], [method.toLowerCase()]: described }
    }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Octroi',
      version: '1',
      summary: 'The bill before the call: keys, limits, reservations and what was spent.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    tags: ports.map(({ tag, description }) => ({ name: tag, description })),
    paths,
    components: { schemas: named.schemas, securitySchemes },
  }
}

type RefOf = (schema: z.ZodType) => object

/** Gives every schema a name, and every use of it a reference. */
const nameSchemas = (): { readonly schemas: object; readonly refOf: RefOf } => {
  const registry = z.registry<{ readonly id: string }>()
  const add = (schema: z.ZodType | null | undefined, id: string): void => {
    if (schema !== null && schema !== undefined && !registry.has(schema)) registry.add(schema, { id })
  }
  for (const [id, schema] of Object.entries(shared)) add(schema, id)
  for (const [asked, { body, answers }] of ports.flatMap(({ operations }) => Object.entries(operations))) {
    add(body, `${capital(idOf(asked))}Request`)
    for (const answer of Object.values(answers)) add(answer, `${capital(idOf(asked))}Answer`)
  }
  const { schemas } = z.toJSONSchema(registry, { io: 'input', uri: place })
  return {
    schemas: Object.fromEntries(
      Object.entries(schemas).map(([id, { $schema, $id, ...schema }]) => [id, schema]),
    ),
    refOf: (schema) => ref(registry.get(schema)?.id ?? ''),
  }
}

const operationOf = (asked: string, operation: Operation, port: Port, refOf: RefOf): object => {
  const [, path = ''] = asked.split(' ')
  const { body, answers, examples = [] } = operation
  const parameters = parametersOf(path, operation)
  const isOpen = open.has(path)
  const ofPort = port.errors.filter((code) => !isOpen || errorCodes[code].status !== 401)
  const ofBody: readonly ErrorCode[] =
    body === undefined
      ? []
      : [...(body === unread ? [] : (['bad_json', 'bad_input'] as const)), 'body_too_large']
  const codes = [...new Set<ErrorCode>([...ofPort, ...ofBody, ...operation.errors])]
  const statuses = [
    ...new Set([...Object.keys(answers).map(Number), ...codes.map((code) => errorCodes[code].status)]),
  ].sort((a, b) => a - b)
  return {
    ...{ operationId: idOf(asked), summary: operation.summary, tags: [port.tag] },
    security: isOpen ? [] : port.security,
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: bodyOf(refOf(body), examples) }),
    responses: Object.fromEntries(
      statuses.map((status) => {
        const answer = answers[status]
        const here = codes.filter((code) => errorCodes[code].status === status)
        return [String(status), answer === null ? text : responseOf(answer && refOf(answer), here)]
      }),
    ),
  }
}

/** What has a name of its own, since several answers have it. */
const shared: Readonly<Record<string, z.ZodType>> = {
  Nothing: nothingAnswer,
  Unread: unread,
  Error: errorAnswer,
  Key: keyAnswer,
  Limit: limitSchema,
  LimitStanding: limitAnswer,
  Quote: quoteAnswer,
  Reservation: reservationAnswer,
}

const securitySchemes = {
  adminToken: {
    type: 'http',
    scheme: 'bearer',
    description: 'The token in OCTROI_ADMIN_TOKEN; without one, whoever is on this machine may ask.',
  },
  octroiKey: {
    ...{ type: 'apiKey', in: 'header', name: 'octroi-key' },
    description: 'An Octroi key; it may stand where a vendor’s key would, too.',
  },
  bearer: { type: 'http', scheme: 'bearer', description: 'The same key as a bearer token.' },
}

const serverOn = (port: string, option: string): object => ({
  url: 'http://{host}:{port}',
  variables: { host: { default: '127.0.0.1' }, port: { default: port, description: `As ${option} says.` } },
})

type Port = {
  readonly tag: string
  readonly description: string
  readonly operations: Operations
  readonly server: object
  readonly security: readonly object[]
  readonly errors: readonly ErrorCode[]
}

const ports: readonly Port[] = [
  {
    tag: 'control',
    description: 'The control plane: what the operator asks.',
    operations: controlOperations,
    server: serverOn('8788', '--control-port'),
    security: [{ adminToken: [] }, {}],
    errors: ['missing_key', 'wrong_key', 'not_allowed', 'internal'],
  },
  {
    tag: 'data',
    description: 'The data port: what applications ask about calls that do not pass through it.',
    operations: dataOperations,
    server: serverOn('8787', '--port'),
    security: [{ octroiKey: [] }, { bearer: [] }, {}],
    errors: ['missing_key', 'wrong_key', 'revoked_key', 'expired_key', 'bad_input', 'overloaded', 'internal'],
  },
]

/** What a probe asks without a token. */
const open: ReadonlySet<string> = new Set(['/healthz', '/readyz'])

/** `POST /octroi/v1/keys/{id}/rotate` is `postKeysByIdRotate`. */
const idOf = (asked: string): string => {
  const [method = '', path = ''] = asked.split(' ')
  const words = path
    .replace('/octroi/v1', '')
    .replaceAll(/\{(\w+)\}/g, 'by-$1')
    .split(/[/.-]/)
    .filter((word) => word !== '')
  return method.toLowerCase() + words.map(capital).join('')
}

const capital = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1)

const place = (id: string): string => `#/components/schemas/${id}`
const ref = (id: string): object => ({ $ref: place(id) })

const text = { description: 'As asked.', content: { 'text/plain': { schema: { type: 'string' } } } }

const parametersOf = (path: string, { header, query = [] }: Operation): readonly object[] => [
  ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    ...{ name, in: 'path', required: true, schema: { type: 'string' } },
  })),
  ...(header === undefined ? [] : [{ ...header, in: 'header', schema: { type: 'string' } }]),
  ...query.map((parameter) => ({ ...parameter, in: 'query' })),
]

const bodyOf = (schema: object, examples: readonly object[]): object => ({
  required: true,
  content: {
    'application/json': {
      schema,
      examples: Object.fromEntries(examples.map((value, index) => [`${index + 1}`, { value }])),
    },
  },
})

/** What is said with a status: an answer, an error of one of these codes, or either. */
const responseOf = (answer: object | undefined, codes: readonly ErrorCode[]): object => {
  const error = {
    allOf: [ref('Error')],
    properties: { error: { properties: { code: { enum: codes } } } },
  }
  const either = [...(answer === undefined ? [] : [answer]), ...(codes.length === 0 ? [] : [error])]
  return {
    description: [
      ...(answer === undefined ? [] : ['As asked.']),
      ...codes.map((code) => `\`${code}\`: ${errorCodes[code].means}.`),
    ].join(' '),
    content: { 'application/json': { schema: either.length === 1 ? either[0] : { anyOf: either } } },
  }
}
