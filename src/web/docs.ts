import { swagger } from '@elysiajs/swagger'
import { type AnyElysia, Elysia } from 'elysia'
import { documentation, documentOf, type RawDocument } from '../openapi/document'
import { docsPage } from './docs-page'
import { pageResponse } from './page'

/** The documentation page and its OpenAPI document (docs/decisions/0003). */
export function docs(publicUrl: string, version: string, anonymousRead: boolean): AnyElysia {
  let document: object | undefined
  return (
    new Elysia({ name: 'docs' })
      // Replace two routes of the plugin: its page loads from other servers, and its document isn't valid.
      .onBeforeHandle(async ({ path }) => {
        if (path === '/docs') return pageResponse(docsPage)
      })
      .onAfterHandle(({ path, responseValue }) => {
        if (path === '/docs') return
        document ??= documentOf(withoutSymbols(responseValue), { anonymousRead })
        return document
      })
      .use(
        swagger({
          path: '/docs',
          specPath: '/docs/json',
          documentation: documentation(publicUrl, version),
        }),
      )
  )
}

/** TypeBox and our fields keep private keywords under symbols, which JSON drops. */
const withoutSymbols = (document: unknown): RawDocument => JSON.parse(JSON.stringify(document))
