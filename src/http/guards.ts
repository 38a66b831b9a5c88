import { bearer } from '@elysiajs/bearer'
import type { TSchema } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import { Failure } from '../errors'
import type { Taken } from '../limits/bucket'
import { EXEMPT } from '../limits/client-address'
import {
  type Access,
  type Caller,
  type KnownCaller,
  mayDo,
  type Permission,
  type Principal,
} from '../permissions'
import { contextOf } from './context'
import { bearerOf, keyOf, NOWHERE, SCHEME } from './credentials'
import { inputOf, type PathFields, readInput, readQuery, type SentQuery } from './input'

/**
 * Loads the record that a path names, and throws unless the caller may do what the request asks. The returned
 * fields are validated as part of the body.
 */
export type RecordGuard = (
  request: Request,
  params: Readonly<Record<string, string>>,
  caller: KnownCaller,
) => Promise<PathFields | undefined>

/** What a route's line asks for. A topic's macro adds its record guard under RECORD. */
export const RECORD = Symbol('record guard')
export type RouteLine = {
  readonly body?: TSchema
  readonly query?: TSchema
  /** On a public route: whether a query is about the caller, and so needs a user. */
  readonly personal?: (query: SentQuery) => boolean
  detail?: Readonly<Record<string, unknown>>
  [RECORD]?: RecordGuard
}

export type Guards = ReturnType<typeof guards>

const noRecord: RecordGuard = async () => undefined
const NOBODY: Caller = { kind: 'nobody' }

export type GuardOptions = {
  /** The caller with these credentials: a token or a key. */
  authenticate(credentials: string): Promise<KnownCaller | undefined>
  /** Called with each key that sent a request. */
  keyUsed(keyId: number): void
  limiter: {
    /** Throws the 429 of a key. */
    key(keyId: number): Taken | Promise<Taken>
  }
  /** Whether public routes need neither token nor key. */
  anonymousRead: boolean
}

/**
 * A route's guard: `access` names who may call with a token, `public` who may also call with a key or, if the
 * configuration allows it, without; `key` who may call with a key alone; `open` lets anyone in. Elysia runs
 * `transform` before it validates, so all checks run there, in the contract's order (section 1): caller,
 * record, body, rules. Elysia uses the schemas only as the handlers' types; `problemsOf` validates.
 */
export function guards({ anonymousRead, ...options }: GuardOptions) {
  const identify = identifier(options)
  return new Elysia({ name: 'guards' })
    .use(bearer({ extract: { header: SCHEME, query: NOWHERE, body: NOWHERE } }))
    .macro({
      access(access: Access) {
        const { line, ...route } = onRoute({ access })
        return {
          ...route,
          async transform({ request, params, headers, bearer }) {
            const caller = await identify(request, bearerOf(headers.authorization, bearer))
            allow(userOf(caller), access)
            const fields = await (line()[RECORD] ?? noRecord)(request, params, caller)
            await readInput(request, line(), fields)
          },
          resolve: ({ request }) => ({ user: userOf(callerOf(request)), ...inputOf(request) }),
        }
      },
      public(permission: Permission) {
        const { line, ...route } = onRoute({ access: permission, credentials: 'any' })
        return {
          ...route,
          async transform({ request, headers, bearer }) {
            const isAnonymous = anonymousRead && headers.authorization === undefined
            const caller = isAnonymous
              ? NOBODY
              : await identify(request, bearerOf(headers.authorization, bearer))
            contextOf(request).caller = caller
            if (caller.kind !== 'nobody') allow(caller.user, permission)
            if (line().personal?.(readQuery(request))) userOf(caller)
            await readInput(request, line())
          },
          resolve: ({ request }) => ({ caller: callerOf(request), ...inputOf(request) }),
        }
      },
      key(permission: Permission) {
        const { line, ...route } = onRoute({ access: permission, credentials: 'key' })
        return {
          ...route,
          async transform({ request }) {
            const caller = await identify(request, keyOf(request))
            if (caller.kind !== 'key') throw new Failure('invalidAuthenticationToken')
            allow(caller.user, permission)
            await readInput(request, line())
          },
          resolve: ({ request }) => ({ caller: callerOf(request), ...inputOf(request) }),
        }
      },
      personal: (_: (query: SentQuery) => boolean) => ({}),
      open(_: true) {
        const { line, ...route } = onRoute()
        return {
          ...route,
          async transform({ request }) {
            await readInput(request, line())
          },
          resolve: ({ request }) => inputOf(request),
        }
      },
    })
}

/** Finds the caller with these credentials, and counts a key's request. Throws 401, or the 429 of a key. */
function identifier({ authenticate, keyUsed, limiter }: Omit<GuardOptions, 'anonymousRead'>) {
  return async function identify(request: Request, credentials: string): Promise<KnownCaller> {
    const context = contextOf(request)
    const caller = await authenticate(credentials)
    if (caller === undefined) throw new Failure('invalidAuthenticationToken')
    context.caller = caller
    if (context.limitKey === EXEMPT) context.bill.client = `user ${caller.user.id}`
    if (caller.kind === 'key') {
      keyUsed(caller.keyId)
      context.takenByKey = await limiter.key(caller.keyId)
    }
    return caller
  }
}

/** Gets hold of the route's line, and says in its document who may call. */
function onRoute(detail: Readonly<Record<string, unknown>> = {}) {
  let line: RouteLine = {}
  return {
    line: () => line,
    introspect(hook: RouteLine) {
      line = hook
      hook.detail = { ...hook.detail, ...detail }
    },
    parse: leaveUnread,
  }
}

/** Elysia would read the body before the guard; returning anything but undefined prevents that. */
const leaveUnread = () => ({})

function allow(user: Principal, access: Access) {
  if (access === 'authenticated') return
  if (!user.activated) throw new Failure('notActivated')
  if (access !== 'activated' && !mayDo(user, access)) throw new Failure('notPermitted')
}

function callerOf(request: Request): Caller {
  const { caller } = contextOf(request)
  if (caller === undefined) throw new Error('the route has no guard')
  return caller
}

/** The user of a request with a token; throws for a key and for anonymous requests. */
function userOf(caller: Caller): Principal {
  if (caller.kind === 'nobody') throw new Failure('authenticationRequired')
  if (caller.kind === 'key') throw new Failure('notPermitted')
  return caller.user
}
