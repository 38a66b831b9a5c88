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
- Each client address may send 20 requests a second, unless configured otherwise. Beyond that it gets 429, and
  \`Retry-After\` says when to try again.
`.trim()

/** Information about the service for @elysiajs/swagger. */
export const documentation = (publicUrl: string, version: string) => ({
  openapi: '3.1.0',
  info: {
    title: 'Redlight',
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

/** The document, completed with what follows from each operation. */
export function documentOf(raw: RawDocument) {
  const schemas: Record<string, unknown> = { ...components.schemas }
  const paths = mapValues(raw.paths, (operations) =>
    mapValues(operations, (operation) => lift(operationOf(operation), schemas)),
  )
  return { ...raw, paths, components: { ...components, schemas } }
}

const mapValues = <In, Out>(values: Readonly<Record<string, In>>, map: (value: In) => Out) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]))

function operationOf(operation: RawOperation) {
  const { operationId, summary, description, tags, access } = operation
  const permissions = access === 'authenticated' || access === 'activated' ? [] : [access]
  return {
    operationId,
    summary,
    description:
      permissions[0] === undefined ? description : `${description}\n\nNeeds the permission \`${access}\`.`,
    tags,
    security: access === undefined ? [] : [{ token: permissions }],
    parameters: [...parametersOf(operation), ...headersOf(operation)],
    requestBody: requestBodyOf(operation),
    responses: responsesOf(operation),
  }
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
