import { type AnyElysia, Elysia } from 'elysia'
import { Failure } from '../errors'
import { json } from '../http/answers'
import { activationPage, passwordResetPage } from './account-pages'
import { assetResponse, pageResponse } from './page'

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

/** Pages for browsers, besides the documentation: the front door, and the pages that mails link to. */
export function pages(publicUrl: string, version: string): AnyElysia {
  // A proxy may add a path prefix.
  const base = new URL(publicUrl).pathname.replace(/\/$/, '')
  const index = {
    name: 'Redlight',
    version,
    links: Object.fromEntries(Object.entries(links).map(([name, path]) => [name, base + path])),
  }
  const redirect = (to: string, headers: Record<string, string> = {}) =>
    new Response(null, { status: 302, headers: { Location: base + to, ...headers } })
  return new Elysia({ name: 'pages' })
    .get(
      '/',
      ({ request }) => {
        if (!prefersHtml(request.headers.get('accept') ?? '')) return json(index, 200, { Vary: 'Accept' })
        return redirect('/docs', { Vary: 'Accept' })
      },
      HIDDEN,
    )
    .get('/docs/', () => redirect('/docs'), HIDDEN)
    .get('/openapi.json', () => redirect('/docs/json'), HIDDEN)
    .get('/activate', () => pageResponse(activationPage), HIDDEN)
    .get('/reset-password', () => pageResponse(passwordResetPage), HIDDEN)
    .get(
      '/docs/assets/:version/:name',
      async ({ params }) => {
        const response = await assetResponse(params.version, params.name)
        if (response === undefined) throw new Failure('notFound')
        return response
      },
      HIDDEN,
    )
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
