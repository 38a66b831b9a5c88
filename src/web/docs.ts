import { swagger } from '@elysiajs/swagger'
import { type AnyElysia, Elysia } from 'elysia'
import { documentOf, type RawDocument } from '../openapi/document'
import { type Operation, objectOf } from '../openapi/operation'
import { docsPage } from './docs-page'
import { pageResponse } from './page'

const showDocs: Operation = {
  operationId: 'showDocs',
  summary: 'Show this page',
  description: 'From inside the program: it asks no other server for anything.',
  isProbe: true,
  answers: { 200: { description: 'The page.', mediaType: 'text/html', schema: { type: 'string' } } },
}
const showDocument: Operation = {
  operationId: 'showDocument',
  summary: 'Show the OpenAPI document',
  description: 'What this page is made of: for generators of clients, and other tools.',
  isProbe: true,
  answers: {
    200: {
      description: 'The document.',
      schema: {
        ...objectOf({ openapi: { type: 'string', const: '3.1.0' }, paths: { type: 'object' } }),
        additionalProperties: true,
      },
    },
  },
}
const ownPaths = {
  '/docs': { get: { ...showDocs, tags: ['pages'] } },
  '/docs/json': { get: { ...showDocument, tags: ['pages'] } },
}

/** The documentation page and the document that it shows (docs/decisions/0003). */
export function docs(publicUrl: string, version: string): AnyElysia {
  let document: object | undefined
  return (
    new Elysia({ name: 'docs' })
      // These surround the two routes of the plugin: its page asks a foreign server, and its document is not valid.
      .onBeforeHandle(async ({ path }) => {
        if (path === '/docs') return pageResponse(docsPage)
      })
      .onAfterHandle(({ path, responseValue }) => {
        if (path === '/docs') return
        document ??= documentOf(withoutSymbols(responseValue), ownPaths)
        return document
      })
      .use(
        swagger({
          path: '/docs',
          specPath: '/docs/json',
          documentation: { info: { title: 'Redlight', version }, servers: [{ url: publicUrl }] },
        }),
      )
  )
}

/** TypeBox and our fields keep their own keywords under symbols, which JSON leaves behind. */
const withoutSymbols = (document: unknown): RawDocument => JSON.parse(JSON.stringify(document))
