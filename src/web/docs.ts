import { swagger } from '@elysiajs/swagger'
import { type AnyElysia, Elysia } from 'elysia'
import { documentation, documentOf, type RawDocument } from '../openapi/document'
import { docsPage } from './docs-page'
import { pageResponse } from './page'

type About = {
  readonly publicUrl: string
  readonly siteName: string
  readonly version: string
  readonly anonymousRead: boolean
}

/** The documentation page and its OpenAPI document (docs/decisions/0003). */
export function docs({ publicUrl, siteName, version, anonymousRead }: About): AnyElysia {
  let document: object | undefined
  const page = docsPage(siteName)
  return (
    new Elysia({ name: 'docs' })
      // Replace two routes of the plugin: its page loads from other servers, and its document isn't valid.
      .onBeforeHandle(async ({ path }) => {
        if (path === '/docs') return pageResponse(page)
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
          documentation: documentation(siteName, publicUrl, version),
        }),
      )
  )
}

/** TypeBox and our fields keep private keywords under symbols, which JSON drops. */
const withoutSymbols = (document: unknown): RawDocument => JSON.parse(JSON.stringify(document))
