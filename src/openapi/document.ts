import { components } from './components'
import { description, tags } from './introduction'
import { type JsonSchema, NAME, type Operation } from './operation'
import { responsesOf } from './responses'

type RawParameter = { name: string; in: string; required: boolean; schema: JsonSchema }
type ObjectSchema = JsonSchema & { properties: Record<string, JsonSchema> }
type RawOperation = Operation & {
  tags: readonly string[]
  parameters?: readonly RawParameter[]
  requestBody?: { content: Record<string, { schema: ObjectSchema }> }
}
type Paths = Readonly<Record<string, Readonly<Record<string, RawOperation>>>>
/** What @elysiajs/swagger makes of the routes: version 3.0.3, with what the models and each `detail` say. */
export type RawDocument = { info: { version: string }; servers: { url: string }[]; paths: Paths }

/** The document in version 3.1, with all that follows from what each operation is. */
export function documentOf(raw: RawDocument, ownPaths: Paths) {
  const schemas: Record<string, unknown> = { ...components.schemas }
  const paths = Object.entries({ ...raw.paths, ...ownPaths }).map(([path, operations]) => [
    path,
    Object.fromEntries(
      Object.entries(operations).map(([method, operation]) => [
        method,
        lift(operationOf(operation), schemas),
      ]),
    ),
  ])
  return {
    openapi: '3.1.0',
    info: {
      title: 'Redlight',
      summary: 'A movie catalogue that you host yourself',
      description,
      version: raw.info.version,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: raw.servers,
    tags,
    paths: Object.fromEntries(paths),
    components: { ...components, schemas },
  }
}

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
  parameters.map(({ name, required, in: place, schema }) => {
    if (place === 'path') return { name, in: place, required, ...id, schema: ID }
    const { description, ...keywords } = query[name] ?? {}
    return { name, in: place, description, required, schema: { ...schema, ...keywords } }
  })

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
  // In `allOf`, as generators of types take an `anyOf` beside properties for an alternative to them.
  const together = body.together === undefined ? {} : { allOf: [body.together] }
  const named = { ...schema, properties: Object.fromEntries(properties), ...together, [NAME]: body.name }
  return { required: true, content: { 'application/json': { schema: named, examples: body.examples } } }
}

/** Moves named schemas among the components, and writes what may be null as 3.1 does. */
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
