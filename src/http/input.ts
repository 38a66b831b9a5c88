import type { TSchema } from '@sinclair/typebox'
import { invalid } from '../errors'
import { isMissing, problemsOf } from '../rules/objects'
import { readJsonObject } from './body'
import { contextOf } from './context'
import { parametersOf } from './request-path'

/** Fields that the path sets: the body may repeat or omit them. */
export type PathFields = Readonly<Record<string, string>>
export type SentQuery = Readonly<Record<string, string | readonly string[]>>

const UNKNOWN_FIELD = 'is not a known field'

/** Reads and validates the body or the query, depending on the route's schema. */
export async function readInput(
  request: Request,
  { body, query }: { readonly body?: TSchema; readonly query?: TSchema },
  fields: PathFields = {},
) {
  const context = contextOf(request)
  if (body !== undefined) {
    const sent = await readJsonObject(request, body.properties ?? {})
    context.input = { body: judgedBody(body, sent, fields) }
  } else if (query !== undefined)
    context.input = { query: judged(query, readQuery(request), 'is not a known parameter') }
}

export function inputOf(request: Request): { body?: unknown; query?: unknown } {
  const { input } = contextOf(request)
  return typeof input === 'object' && input !== null ? input : {}
}

function judgedBody(schema: TSchema, sent: Readonly<Record<string, unknown>>, fields: PathFields): unknown {
  const names = Object.keys(fields)
  if (names.length === 0) return judged(schema, sent, UNKNOWN_FIELD)
  const body = { ...sent, ...fields }
  const differing = names.filter((name) => !isMissing(sent[name]) && sent[name] !== fields[name])
  if (differing.length === 0) return judged(schema, body, UNKNOWN_FIELD)
  const contradictions = differing.map((name) => [name, 'must be the one in the path, or left out'])
  throw invalid({ ...Object.fromEntries(contradictions), ...problemsOf(schema, body, UNKNOWN_FIELD) })
}

function judged(schema: TSchema, value: unknown, unknownKey: string): unknown {
  const problems = problemsOf(schema, value, unknownKey)
  if (problems !== undefined) throw invalid(problems)
  return value
}

/** An empty value counts as absent; a repeated parameter becomes a list, which no schema accepts. */
export function readQuery(request: Request): SentQuery {
  const query: Record<string, string | readonly string[]> = Object.create(null)
  for (const [name, value] of parametersOf(request)) {
    if (value === '') continue
    const earlier = query[name]
    query[name] = earlier === undefined ? value : [earlier, value].flat()
  }
  return query
}
