import { components } from './components'
import { type JsonSchema, NAME, type Operation } from './operation'
import { responsesOf } from './responses'

const tags = [
  {
    name: 'movies',
    description: 'The catalogue. Everyone can see a movie; only its creator can change it.',
  },
  { name: 'favourites', description: 'Your own list of favourite movies.' },
  { name: 'users', description: 'Register, activate an account, set a new password.' },
  { name: 'keys', description: 'API keys, with which programs read movies.' },
  {
    name: 'operators',
    description: 'Users, who did what, and figures, for callers with the permission `admin`.',
  },
  {
    name: 'omdb',
    description:
      'The catalogue in the form of the Open Movie Database API, for clients written for that one.',
  },
  { name: 'tokens', description: 'Sign in and out, and ask for mails.' },
  { name: 'health', description: 'Probes and metrics for operators.' },
]

const description = `
To begin: register, activate the account with the token from the mail, sign in, and send the token with each call as
\`Authorization: Bearer <token>\`.

- Bodies are JSON objects in UTF-8, sent with \`Content-Type: application/json\`. Times are in UTC, dates are \`YYYY-MM-DD\`.
- Every error is \`{"error": …}\`: a string or, for a request that breaks rules (422), a message for each field.
- Unsupported methods get 405 with \`Allow\`. \`HEAD\` works wherever \`GET\` does; \`OPTIONS\` is 204.
- Every answer has an \`X-Request-Id\`, which is also in the service log; send your own to trace a request.
- Programs that can't sign in read movies with an API key, which is sent in the same header.
- Each client address may send 20 requests a second, unless configured otherwise. Beyond that it gets 429, and
  \`Retry-After\` says when to try again.
`.trim()

/** Information about the service for @elysiajs/swagger. */
export const documentation = (siteName: string, publicUrl: string, version: string) => ({
  openapi: '3.1.0',
  info: {
    title: siteName,
    summary: 'A movie catalogue that you host yourself',
    description,
    version,
    license: { name: 'MIT', identifier: 'MIT' },
  },
  servers: [{ url: publicUrl }],
  tags,
})

type RawParameter = { name: string; in: string; required: boolean; schema: JsonSchema }
type ObjectSchema = JsonSchema & { properties: Record<string, JsonSchema> }
type RawOperation = Operation & {
  tags: readonly string[]
  parameters?: readonly RawParameter[]
  requestBody?: { content: Record<string, { schema: ObjectSchema }> }
}
/** @elysiajs/swagger's view of the routes: each operation as its `detail` and models have it. */
export type RawDocument = { paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>> }

type Setting = { readonly anonymousRead: boolean }

/** The document, completed with what follows from each operation. */
export function documentOf(raw: RawDocument, setting: Setting) {
  const schemas: Record<string, unknown> = { ...components.schemas }
  const paths = mapValues(raw.paths, (operations) =>
    mapValues(operations, (operation) => lift(operationOf(operation, setting), schemas)),
  )
  return { ...raw, paths, components: { ...components, schemas } }
}

const mapValues = <In, Out>(values: Readonly<Record<string, In>>, map: (value: In) => Out) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]))

function operationOf(operation: RawOperation, setting: Setting) {
  const { operationId, summary, description, tags } = operation
  return {
    operationId,
    summary,
    description: description + needsOf(operation, setting),
    tags,
    security: securityOf(operation, setting),
    parameters: [...parametersOf(operation), ...headersOf(operation)],
    requestBody: requestBodyOf(operation),
    responses: responsesOf(operation),
  }
}

const permissionOf = ({ access }: RawOperation) =>
  access === 'authenticated' || access === 'activated' ? undefined : access

function needsOf(operation: RawOperation, { anonymousRead }: Setting): string {
  const permission = permissionOf(operation)
  if (permission === undefined) return ''
  if (operation.credentials === undefined) return `\n\nNeeds the permission \`${permission}\`.`
  if (operation.credentials === 'key')
    return `\n\nNeeds an API key whose owner has the permission \`${permission}\`.`
  return anonymousRead
    ? '\n\nAnyone can call it; a token or an API key is optional.'
    : `\n\nNeeds the permission \`${permission}\`; an API key will do.`
}

/** Alternatives, of which one suffices. */
function securityOf(operation: RawOperation, { anonymousRead }: Setting) {
  if (operation.access === undefined) return []
  if (operation.credentials === 'key') return [{ apikey: [] }, { xApiKey: [] }, { key: [] }]
  const permission = permissionOf(operation)
  const token = { token: permission === undefined ? [] : [permission] }
  if (operation.credentials === undefined) return [token]
  return [token, { key: [] }, ...(anonymousRead ? [{}] : [])]
}

const parametersOf = ({ parameters = [], query = {}, id }: RawOperation) =>
  [...parameters, ...withoutModel(parameters, query)].map(({ name, required, in: place, schema }) => {
    if (place === 'path') return { name, in: place, required, schema: ID, ...id }
    const { description, ...keywords } = query[name] ?? {}
    return { name, in: place, description, required, schema: { ...schema, ...keywords } }
  })

/** Parameters that a handler reads itself, without a model. */
const withoutModel = (parameters: readonly RawParameter[], query: NonNullable<Operation['query']>) =>
  Object.keys(query)
    .filter((name) => !parameters.some((parameter) => parameter.name === name))
    .map((name): RawParameter => ({ name, in: 'query', required: false, schema: { type: 'string' } }))

const ID = { type: 'integer', format: 'int64', minimum: 1 }

const headersOf = ({ requestHeaders = [] }: Operation) =>
  requestHeaders.map((name) => ({ $ref: `#/components/parameters/${name}` }))

function requestBodyOf({ body, requestBody }: RawOperation) {
  const schema = requestBody?.content['application/json']?.schema
  if (body === undefined || schema === undefined) return undefined
  const properties = Object.entries(schema.properties).map(([name, property]) => [
    name,
    { ...property, ...body.fields?.[name] },
  ])
  // In `allOf`, because type generators take an `anyOf` next to properties as an alternative to them.
  const together = body.together === undefined ? {} : { allOf: [body.together] }
  const named = { ...schema, properties: Object.fromEntries(properties), ...together, [NAME]: body.name }
  return { required: true, content: { 'application/json': { schema: named, examples: body.examples } } }
}

/** Moves named schemas into the components, and writes nullable types as 3.1 does. */
function lift(node: unknown, schemas: Record<string, unknown>): unknown {
  if (Array.isArray(node)) return node.map((entry) => lift(entry, schemas))
  if (typeof node !== 'object' || node === null) return node
  const { nullable, [NAME]: name, ...rest }: JsonSchema = { ...node }
  const lifted = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, lift(value, schemas)]))
  if (nullable === true) lifted.type = [lifted.type, 'null']
  if (typeof name !== 'string') return lifted
  schemas[name] = lifted
  return { $ref: `#/components/schemas/${name}` }
}
