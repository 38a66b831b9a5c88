import { type AnyElysia, Elysia } from 'elysia'
import { Failure } from '../errors'
import { type JsonSchema, type Operation, objectOf } from '../openapi/operation'
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
const linkSchemas = Object.fromEntries(
  Object.keys(links).map((name): [string, JsonSchema] => [name, { type: 'string', format: 'uri-reference' }]),
)

const showIndex: Operation = {
  operationId: 'showIndex',
  summary: 'Show where everything is',
  description: 'Sends browsers, which prefer HTML to JSON, to the documentation page.',
  isStatic: true,
  answers: {
    200: {
      description: 'The addresses of what there is.',
      schema: objectOf({
        name: { type: 'string', const: 'Redlight' },
        version: { type: 'string' },
        links: objectOf(linkSchemas),
      }),
      example: { name: 'Redlight', version: '1.0.0', links },
    },
    302: { description: 'The documentation page, for a browser.', headers: ['Location'] },
  },
}

const htmlAnswer = {
  200: { description: 'The page.', mediaType: 'text/html', schema: { type: 'string' } },
} as const
const showActivationPage: Operation = {
  operationId: 'showActivationPage',
  summary: 'Show the page that activates an account',
  description:
    'The link in the activation mail, which carries the token behind `#token=`, where no server sees it.',
  isStatic: true,
  answers: htmlAnswer,
}
const showPasswordResetPage: Operation = {
  operationId: 'showPasswordResetPage',
  summary: 'Show the page that sets a new password',
  description:
    'The link in the password reset mail, which carries the token behind `#token=`, where no server sees it.',
  isStatic: true,
  answers: htmlAnswer,
}

/** What a person's browser opens, beside the documentation: the front door, and the pages that mails link to. */
export function pages(publicUrl: string, version: string): AnyElysia {
  // A proxy may serve everything under a path of its own.
  const base = new URL(publicUrl).pathname.replace(/\/$/, '')
  const index = {
    name: 'Redlight',
    version,
    links: Object.fromEntries(Object.entries(links).map(([name, path]) => [name, base + path])),
  }
  return new Elysia({ name: 'pages', tags: ['pages'] })
    .get(
      '/',
      ({ request, set }) => {
        set.headers.vary = 'Accept'
        if (!prefersHtml(request.headers.get('accept') ?? '')) return index
        return new Response(null, { status: 302, headers: { Location: `${base}/docs`, Vary: 'Accept' } })
      },
      { detail: showIndex },
    )
    .get('/activate', () => pageResponse(activationPage), { detail: showActivationPage })
    .get('/reset-password', () => pageResponse(passwordResetPage), { detail: showPasswordResetPage })
    .get(
      '/docs/assets/:version/:name',
      async ({ params }) => {
        const response = await assetResponse(params.version, params.name)
        if (response === undefined) throw new Failure('notFound')
        return response
      },
      { detail: { hide: true } },
    )
}

/** Whether text/html is asked for, and more so than application/json (RFC 9110 section 12.5.1). */
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
