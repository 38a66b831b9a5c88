import { type AnyElysia, Elysia } from 'elysia'
import { contextOf } from '../http/context'
import type { Guards } from '../http/guards'
import type { Limiter } from '../limits/rate-limit'
import { timestampJson } from '../timestamp'
import * as docs from './docs'
import { Credentials, MailRequest } from './model'
import type { TokensService } from './service'

export function tokenRoutes(
  tokens: TokensService,
  limiter: Pick<Limiter, 'signIn' | 'failedSignIn' | 'mail'>,
  guards: Guards,
): AnyElysia {
  return new Elysia({ name: 'tokens', prefix: '/v1/tokens', tags: ['tokens'] })
    .use(guards)

    .post(
      '/authentication',
      async ({ body, request, set }) => {
        const { limitKey } = contextOf(request)
        await limiter.signIn(limitKey)
        const { token, expiresAt } = await tokens.signIn(body, (name) => limiter.failedSignIn(name, limitKey))
        set.status = 201
        return { authentication_token: { token, expiry: timestampJson(expiresAt) } }
      },
      { json: true, body: Credentials, detail: docs.signIn },
    )

    .delete(
      '/authentication',
      async ({ user }) => {
        await tokens.signOutEverywhere(user.id)
        return { message: 'you are signed out everywhere' }
      },
      { access: 'authenticated', detail: docs.signOutEverywhere },
    )

    .post(
      '/activation',
      async ({ body, request, set }) => {
        await limiter.mail(body.email, contextOf(request).limitKey)
        await tokens.requestActivation(body.email)
        set.status = 202
        return { message: 'an email will be sent to you containing activation instructions' }
      },
      { json: true, body: MailRequest, detail: docs.requestActivation },
    )

    .post(
      '/password-reset',
      async ({ body, request, set }) => {
        await limiter.mail(body.email, contextOf(request).limitKey)
        await tokens.requestPasswordReset(body.email)
        set.status = 202
        return { message: 'an email will be sent to you containing password reset instruction' }
      },
      { json: true, body: MailRequest, detail: docs.requestPasswordReset },
    )
}
