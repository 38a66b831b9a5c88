import { bearer } from '@elysiajs/bearer'
import { Elysia } from 'elysia'
import { Failure } from '../errors'
import type { Permission } from '../permissions'
import { changesRecord } from '../rules/objects'
import { mayDo, type Principal } from '../tokens/model'
import { readJsonObject } from './body'
import { contextOf } from './context'
import { parametersOf } from './request-path'

/** What a route asks of its caller: a token, an activated account, or that and a permission. */
export type Access = 'authenticated' | 'activated' | Permission

// RFC 9110 section 11.4: a scheme in any case, one space or more, a token68; nothing else is a bearer token.
const BEARER_CREDENTIALS = /^bearer +[A-Za-z0-9._~+/-]+=*$/i
const SCHEME = 'Bearer'
const NOWHERE = '\0'

export type Guards = ReturnType<typeof guards>

const principals = new WeakMap<Request, Principal>()

/** The user that the guard of this route let through. */
export function principalOf(request: Request): Principal {
  const principal = principals.get(request)
  if (principal === undefined) throw new Error('the route has no guard')
  return principal
}

const recordsToChange = new WeakMap<Request, Readonly<Record<string, unknown>>>()

/** Tells the guards after this one which record the request is about to change. */
export const guardRecord = (request: Request, record: Readonly<Record<string, unknown>>) =>
  recordsToChange.set(request, record)

/**
 * The guards that a route names on its line, in the order in which they are to hold. Each works in `transform`,
 * the last step before validation, so that a stranger learns nothing about the schema.
 */
export function guards(authenticate: (token: string) => Promise<Principal | undefined>) {
  return new Elysia({ name: 'guards' })
    .use(bearer({ extract: { header: SCHEME, query: NOWHERE, body: NOWHERE } }))
    .macro({
      access: (required: Access) => ({
        async transform({ request, headers, bearer }) {
          const token = tokenOf(headers.authorization, bearer)
          const principal = await authenticate(token)
          if (principal === undefined) throw new Failure('invalidAuthenticationToken')
          contextOf(request).userId = principal.id
          allow(principal, required)
          principals.set(request, principal)
        },
        resolve: ({ request }) => ({ user: principalOf(request) }),
      }),
      /** Reads the body, which Elysia would otherwise have done before the guards. */
      json: (_: true) => ({
        parse: () => ({}),
        async transform(context) {
          const body = await readJsonObject(context.request)
          const record = recordsToChange.get(context.request)
          if (record !== undefined) changesRecord(body, record)
          context.body = body
        },
      }),
      /** Reads the query of a list, whose every parameter counts. */
      list: (_: true) => ({
        transform(context) {
          Object.assign(context, { query: readListQuery(context.request) })
        },
      }),
    })
}

/** The plugin knows one spelling of the scheme, and looks into the query where it doesn't find that in the header. */
function tokenOf(authorization: string | undefined, fromPlugin: string | undefined): string {
  if (authorization === undefined) throw new Failure('authenticationRequired')
  if (!BEARER_CREDENTIALS.test(authorization)) throw new Failure('invalidAuthenticationToken')
  const fromHeader = authorization.startsWith(SCHEME) ? fromPlugin : undefined
  return (fromHeader ?? authorization.slice(SCHEME.length)).trim()
}

function allow(principal: Principal, required: Access) {
  if (required === 'authenticated') return
  if (!principal.activated) throw new Failure('notActivated')
  if (required !== 'activated' && !mayDo(principal, required)) throw new Failure('notPermitted')
}

/** An empty value counts as not given; a parameter given twice becomes a list, which no schema takes. */
function readListQuery(request: Request): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = Object.create(null)
  for (const [name, value] of parametersOf(request)) {
    if (value === '') continue
    const earlier = query[name]
    query[name] = earlier === undefined ? value : [earlier, value].flat()
  }
  return query
}
