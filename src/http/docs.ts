import { swagger } from '@elysiajs/swagger'
import { type AnyElysia, Elysia } from 'elysia'

export function docs(publicUrl: string, version: string): AnyElysia {
  return new Elysia({ name: 'docs' }).use(
    swagger({
      path: '/docs',
      specPath: '/docs/json',
      documentation: { info: { title: 'Redlight', version }, servers: [{ url: publicUrl }] },
    }),
  )
}
