import { type AnyElysia, Elysia } from 'elysia'
import type { SignedToken } from '../access/jwt'
import { authenticationToken, json } from '../http/answers'
import { authorOf, contextOf } from '../http/context'
import { bearerOf } from '../http/credentials'
import type { Guards } from '../http/guards'
import type { Limiter } from '../limits/rate-limit'
import * as docs from './docs'
import { Credentials, MailRequest } from './model'
import type { TokensService } from './service'

const tokenAnswer = (token: SignedToken) => json({ authentication_token: authenticationToken(token) }, 201)

export function tokenRoutes(
  tokens: TokensService,
  limiter: Pick<Limiter, 'signIn' | 'failedSignIn' | 'mail'>,
  guards: Guards,
): AnyElysia {
  return new Elysia({ name: 'tokens', prefix: '/v1/tokens', tags: ['tokens'] })
    .use(guards)

    .post(
      '/authentication',
      async ({ body, request }) => {
        const { limitKey } = contextOf(request)
        await limiter.signIn(limitKey)
        return tokenAnswer(await tokens.signIn(body, (name) => limiter.failedSignIn(name, limitKey)))
      },
      { open: true, body: Credentials, detail: docs.signIn },
    )

    .post(
      '/renewal',
      async ({ request }) => {
        const token = bearerOf(request.headers.get('authorization') ?? undefined)
        return tokenAnswer(await tokens.renew(token))
      },
      { access: 'authenticated', detail: docs.renewToken },
    )

    .delete(
      '/authentication',
      async ({ user, request }) => {
        await tokens.signOutEverywhere(authorOf(request), user)
        return json({ message: 'you are signed out everywhere' })
      },
      { access: 'authenticated', detail: docs.signOutEverywhere },
    )

    .post(
      '/activation',
      async ({ body, request }) => {
        await limiter.mail(body.email, contextOf(request).limitKey)
        await tokens.requestActivation(body.email)
        return json({ message: 'an email will be sent to you containing activation instructions' }, 202)
      },
      { open: true, body: MailRequest, detail: docs.requestActivation },
    )

    .post(
      '/password-reset',
      async ({ body, request }) => {
        await limiter.mail(body.email, contextOf(request).limitKey)
        await tokens.requestPasswordReset(body.email)
        return json({ message: 'an email will be sent to you containing password reset instruction' }, 202)
      },
      { open: true, body: MailRequest, detail: docs.requestPasswordReset },
    )
}
