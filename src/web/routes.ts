import { type AnyElysia, Elysia } from 'elysia'
import { Failure } from '../errors'
import { json } from '../http/answers'
import { contextOf } from '../http/context'
import { assetResponse } from './assets'
import type { consolePage } from './console-page'

const links = {
  documentation: '/docs',
  openapi: '/docs/json',
  healthcheck: '/v1/healthcheck',
  metrics: '/metrics',
  movies: '/v1/movies',
  favourites: '/v1/users/me/favourites',
  register: '/v1/users',
  sign_in: '/v1/tokens/authentication',
}
const HIDDEN = { detail: { hide: true } }

/** Where mails lead. */
const ACCOUNT_PAGES = ['/activate', '/reset-password', '/confirm-email']
/** What else the console shows besides the list, at /. */
const CATALOGUE_PAGES = [
  '/favourites',
  '/my-movies',
  '/movies/new',
  '/sign-in',
  '/register',
  '/forgot-password',
  '/account',
  '/admin/users',
  '/admin/movies',
  '/admin/audit',
  '/admin/figures',
]

const RECORD_PAGES = ['/movies/:id', '/movies/:id/edit', '/admin/users/:id'] as const
const ID = /^[1-9]\d{0,18}$/

type PagesOptions = {
  readonly publicUrl: string
  readonly siteName: string
  readonly version: string
  readonly hasCatalogue: boolean
  readonly console: ReturnType<typeof consolePage>
}

/** Pages for browsers, besides the documentation: the console, at the front door and where mails lead. */
export function pages({ publicUrl, siteName, version, hasCatalogue, console }: PagesOptions): AnyElysia {
  // A proxy may add a path prefix.
  const base = new URL(publicUrl).pathname.replace(/\/$/, '')
  const index = {
    name: siteName,
    version,
    links: Object.fromEntries(Object.entries(links).map(([name, path]) => [name, base + path])),
  }
  const redirect = (to: string, headers: Record<string, string> = {}) =>
    new Response(null, { status: 302, headers: { Location: base + to, ...headers } })
  const show = ({ request }: { request: Request }) => console(request, contextOf(request).path)
  const showOne = ({ request, params }: { request: Request; params: { id: string } }) => {
    if (!ID.test(params.id)) throw new Failure('notFound')
    return console(request, contextOf(request).path)
  }
  const app = new Elysia({ name: 'pages' })
    .get(
      '/',
      ({ request }) => {
        if (!prefersHtml(request.headers.get('accept') ?? '')) return json(index, 200, { Vary: 'Accept' })
        return hasCatalogue ? console(request, '/') : redirect('/docs', { Vary: 'Accept' })
      },
      HIDDEN,
    )
    .get('/docs/', () => redirect('/docs'), HIDDEN)
    .get('/openapi.json', () => redirect('/docs/json'), HIDDEN)
    .get(
      '/docs/assets/:version/:name',
      async ({ request, params }) => {
        const response = await assetResponse(request, params.version, params.name)
        if (response === undefined) throw new Failure('notFound')
        return response
      },
      HIDDEN,
    )
  for (const path of ACCOUNT_PAGES) app.get(path, show, HIDDEN)
  if (!hasCatalogue) return app
  for (const path of CATALOGUE_PAGES) app.get(path, show, HIDDEN)
  for (const path of RECORD_PAGES) app.get(path, showOne, HIDDEN)
  return app
}

/** Whether text/html is preferred to application/json (RFC 9110 section 12.5.1). */
function prefersHtml(accept: string): boolean {
  const weights = new Map<string, number>()
  for (const range of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
    weights.set(type, weight === undefined ? 1 : Number(weight) || 0)
  }
  const ofJson = ['application/json', 'application/*', '*/*'].map((type) => weights.get(type))
  return (weights.get('text/html') ?? 0) > (ofJson.find((weight) => weight !== undefined) ?? 0)
}

const NEVER_A_PAGE = /^\/(?:v1|omdb|debug|metrics|docs)(?:\/|$)/

/** Whether a person in a browser asked for a path that isn't there. */
export const isLostVisitor = ({ method, headers }: Request, path: string) =>
  (method === 'GET' || method === 'HEAD') &&
  !NEVER_A_PAGE.test(path) &&
  /^\s*text\/html\b/i.test(headers.get('accept') ?? '')
