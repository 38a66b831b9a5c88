import { bearer } from '@elysiajs/bearer'
import type { TSchema } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import { Failure, invalid } from '../errors'
import { EXEMPT } from '../limits/client-address'
import { type Access, mayDo, type Principal } from '../permissions'
import { isMissing, problemsOf } from '../rules/objects'
import { readJsonObject } from './body'
import { contextOf, type RequestContext } from './context'
import { parametersOf } from './request-path'

export type Caller = { readonly kind: 'user'; readonly user: Principal }

/** Fields that the path sets: the body may repeat or omit them. */
type PathFields = Readonly<Record<string, string>>

/**
 * Loads the record that a path names, and throws unless the caller may do what the request asks. The returned
 * fields are validated as part of the body.
 */
export type RecordGuard = (
  request: Request,
  params: Readonly<Record<string, string>>,
  caller: Caller,
) => Promise<PathFields | undefined>

/** What a route's line asks for. A topic's macro adds its record guard under RECORD. */
export const RECORD = Symbol('record guard')
export type RouteLine = {
  readonly body?: TSchema
  readonly query?: TSchema
  detail?: Readonly<Record<string, unknown>>
  [RECORD]?: RecordGuard
}

export type Guards = ReturnType<typeof guards>

// RFC 9110 section 11.4: scheme in any case, one or more spaces, a token68. Nothing else is a bearer token.
const BEARER_CREDENTIALS = /^bearer +[A-Za-z0-9._~+/-]+=*$/i
const SCHEME = 'Bearer'
const NOWHERE = '\0'
const UNKNOWN_FIELD = 'is not a known field'
const noRecord: RecordGuard = async () => undefined

/**
 * A route's guard: `access` names who may call, `open` lets anyone in. Elysia runs `transform` before it
 * validates, so all checks run there, in the contract's order (section 1): caller, record, body, rules.
 * Elysia uses the schemas only as the handlers' types; `problemsOf` validates.
 */
export function guards(authenticate: (token: string) => Promise<Principal | undefined>) {
  async function identify(
    authorization: string | undefined,
    fromPlugin: string | undefined,
  ): Promise<Caller> {
    const user = await authenticate(tokenOf(authorization, fromPlugin))
    if (user === undefined) throw new Failure('invalidAuthenticationToken')
    return { kind: 'user', user }
  }

  return new Elysia({ name: 'guards' })
    .use(bearer({ extract: { header: SCHEME, query: NOWHERE, body: NOWHERE } }))
    .macro({
      access(access: Access) {
        let line: RouteLine = {}
        return {
          introspect(hook: RouteLine) {
            line = hook
            hook.detail = { ...hook.detail, access }
          },
          parse: leaveUnread,
          async transform({ request, params, headers, bearer }) {
            const context = contextOf(request)
            const caller = await identify(headers.authorization, bearer)
            context.user = caller.user
            if (context.limitKey === EXEMPT) context.bill.client = `user ${caller.user.id}`
            allow(caller, access)
            const fields = await (line[RECORD] ?? noRecord)(request, params, caller)
            await readInput(request, line, context, fields)
          },
          resolve: ({ request }) => ({ user: userOf(request), ...inputOf(request) }),
        }
      },
      open(_: true) {
        let line: RouteLine = {}
        return {
          introspect(hook: RouteLine) {
            line = hook
          },
          parse: leaveUnread,
          async transform({ request }) {
            await readInput(request, line, contextOf(request))
          },
          resolve: ({ request }) => inputOf(request),
        }
      },
    })
}

/** Elysia would read the body before the guard; returning anything but undefined prevents that. */
const leaveUnread = () => ({})

function allow({ user }: Caller, access: Access) {
  if (access === 'authenticated') return
  if (!user.activated) throw new Failure('notActivated')
  if (access !== 'activated' && !mayDo(user, access)) throw new Failure('notPermitted')
}

function userOf(request: Request): Principal {
  const { user } = contextOf(request)
  if (user === undefined) throw new Error('the route has no guard')
  return user
}

/** Reads and validates the body or the query, depending on the route's schema. */
async function readInput(
  request: Request,
  { body, query }: RouteLine,
  context: RequestContext,
  fields: PathFields = {},
) {
  if (body !== undefined) {
    const sent = await readJsonObject(request, body.properties ?? {})
    context.input = { body: judgedBody(body, sent, fields) }
  } else if (query !== undefined)
    context.input = { query: judged(query, readListQuery(request), 'is not a known parameter') }
}

function inputOf(request: Request): { body?: unknown; query?: unknown } {
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

/** The plugin knows one spelling of the scheme, and falls back to the query. */
function tokenOf(authorization: string | undefined, fromPlugin: string | undefined): string {
  if (authorization === undefined) throw new Failure('authenticationRequired')
  if (!BEARER_CREDENTIALS.test(authorization)) throw new Failure('invalidAuthenticationToken')
  const fromHeader = authorization.startsWith(SCHEME) ? fromPlugin : undefined
  return (fromHeader ?? authorization.slice(SCHEME.length)).trim()
}

/** An empty value counts as absent; a repeated parameter becomes a list, which no schema accepts. */
function readListQuery(request: Request): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = Object.create(null)
  for (const [name, value] of parametersOf(request)) {
    if (value === '') continue
    const earlier = query[name]
    query[name] = earlier === undefined ? value : [earlier, value].flat()
  }
  return query
}
