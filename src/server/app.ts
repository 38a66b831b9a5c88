import { Elysia, NotFoundError } from 'elysia'
import type { Authenticator } from '../access/authenticator'
import { auditRoutes } from '../audit/routes'
import type { Config } from '../config/config'
import type { Db } from '../db/client'
import { favouriteRoutes } from '../favourites/routes'
import { figuresRoutes } from '../health/figures-routes'
import type { Metrics } from '../health/metrics'
import { type HealthDeps, healthRoutes } from '../health/routes'
import { contextOf } from '../http/context'
import type { Cors } from '../http/cors'
import { failureIn, logFailure, toFailure } from '../http/error-responses'
import { guards } from '../http/guards'
import { pipeline } from '../http/pipeline'
import { createRouteTable, fixedPaths } from '../http/route-table'
import { keyRoutes } from '../keys/routes'
import type { KeysService } from '../keys/service'
import type { ClientAddresses } from '../limits/client-address'
import type { MetricsAccess } from '../limits/metrics-access'
import type { Limiter } from '../limits/rate-limit'
import type { Log } from '../log'
import { movieRoutes } from '../movies/routes'
import { createOmdbForm } from '../omdb/form-routes'
import { omdbRoutes } from '../omdb/routes'
import { operatorRoutes } from '../operators/routes'
import type { OperatorsService } from '../operators/service'
import { type Reads, readPrimary } from '../replicas/reads'
import { withStaleness } from '../replicas/staleness'
import { searchRoutes } from '../search/routes'
import { tokenRoutes } from '../tokens/routes'
import type { TokensService } from '../tokens/service'
import type { AccountService } from '../users/account-service'
import { userRoutes } from '../users/routes'
import type { UsersService } from '../users/service'
import { consolePage } from '../web/console-page'
import { docs } from '../web/docs'
import { isLostVisitor, pages } from '../web/routes'

export type AppDeps = {
  config: Pick<Config, 'publicUrl' | 'site' | 'console'>
  db: Db
  /** Replicas that serve reads. */
  replicas: Pick<Reads, 'read' | 'readCurrent' | 'wrote'> | undefined
  users: UsersService
  account: AccountService
  operators: OperatorsService
  tokens: TokensService
  keys: KeysService
  authenticator: Pick<Authenticator, 'authenticate'>
  /** Called with each key that sent a request. */
  keyUsed: (keyId: number) => void
  anonymousRead: boolean
  limiter: Limiter
  /** Limit on a request's total waiting time. */
  deadlineMs: number
  clientAddresses: ClientAddresses
  cors: Cors
  metrics: Metrics
  metricsAccess: MetricsAccess
  health: Omit<HealthDeps, 'metrics'>
  /** The name that this instance goes by. */
  instance: string
  log: Log
}

/** The service without a port: the topics behind their router, and the pipeline around it. */
export function createApp(deps: AppDeps) {
  const { db, replicas, log } = deps
  const reads = replicas ?? readPrimary(db)
  const guard = guards({ ...deps, authenticate: deps.authenticator.authenticate })
  const omdbForm = createOmdbForm(deps.metrics.counter)
  const forms = [omdbForm]
  const { publicUrl, site, console } = deps.config
  const { version } = deps.health
  const showConsole = consolePage({
    siteName: site.name,
    hasCatalogue: console.enabled,
    hasPosters: console.posters,
    isOpen: deps.anonymousRead,
    home: site.url === publicUrl ? undefined : site.url,
  })

  const api = new Elysia({
    normalize: false,
    strictPath: true,
    // Elysia assumes a host of four letters or more; with a shorter one it would route on the wrong part of
    // the URL.
    handler: { standardHostname: false },
  })
    .onTransform(({ request, route, path }) => {
      const context = contextOf(request)
      // The limits were applied to the pipeline's path.
      if (path !== context.path) throw new Error('the router and the pipeline read different paths')
      // The router would try /v1/users/:id where /v1/users/activated lacks the method.
      if (route !== path && fixed.has(path)) throw new NotFoundError()
      context.route = route
    })
    .onError(({ error, request }) => {
      const failure = toFailure(error, request, allowedMethods)
      const { path } = contextOf(request)
      if (failure.code === 'notFound' && console.enabled && isLostVisitor(request, path))
        return showConsole(request, path, 404)
      logFailure(failure, contextOf(request), log)
      return failureIn(forms, failure, request)
    })
    .use(healthRoutes({ ...deps.health, metrics: deps.metrics }))
    .use(searchRoutes(reads, guard))
    .use(movieRoutes(db, reads, guard))
    .use(favouriteRoutes(db, reads, guard))
    .use(userRoutes(deps.users, deps.account, deps.limiter, guard))
    .use(keyRoutes(deps.keys, guard))
    .use(operatorRoutes(db, deps.operators, guard))
    .use(auditRoutes(db, guard))
    .use(figuresRoutes({ instance: deps.instance, lastHour: deps.metrics.lastHour }, guard))
    .use(omdbRoutes(reads, omdbForm, guard))
    .use(tokenRoutes(deps.tokens, deps.limiter, guard))
    .use(
      pages({ publicUrl, siteName: site.name, version, hasCatalogue: console.enabled, console: showConsole }),
    )
    .use(docs({ publicUrl, siteName: site.name, version, anonymousRead: deps.anonymousRead }))

  const fixed = fixedPaths(api.routes)
  const allowedMethods = createRouteTable(api.routes)
  const handle = replicas === undefined ? api.fetch : remembering(replicas, api.fetch)
  return { fetch: pipeline({ ...deps, forms, allowedMethods }, handle), routes: api.routes }
}

/**
 * After any request but GET and HEAD, failed or not, marks its user as a recent writer. Reports a stale
 * answer's age.
 */
function remembering(
  { wrote }: Pick<Reads, 'wrote'>,
  handle: (request: Request) => Response | Promise<Response>,
) {
  return async (request: Request): Promise<Response> => {
    try {
      const [response, seconds] = await withStaleness(() => handle(request))
      if (seconds !== undefined) response.headers.set('X-Redlight-Stale', String(seconds))
      return response
    } finally {
      const { method, caller } = contextOf(request)
      if (caller?.kind === 'user' && method !== 'GET' && method !== 'HEAD') wrote(caller.user.id)
    }
  }
}
