import { type AnyElysia, Elysia } from 'elysia'
import { json } from '../http/answers'
import { authorOf, contextOf } from '../http/context'
import type { Guards } from '../http/guards'
import type { Limiter } from '../limits/rate-limit'
import * as docs from './docs'
import { Activation, PasswordReset, Registration, userJson } from './model'
import type { UsersService } from './service'

export function userRoutes(
  users: UsersService,
  limiter: Pick<Limiter, 'registration'>,
  guards: Guards,
): AnyElysia {
  return new Elysia({ name: 'users', prefix: '/v1/users', tags: ['users'] })
    .use(guards)

    .post(
      '',
      async ({ body, request }) => {
        const mail = await limiter.registration(body.email, contextOf(request).limitKey)
        const user = await users.register(body).catch(async (error) => {
          await mail.takeBack()
          throw error
        })
        return json({ user: userJson(user) }, 201)
      },
      { open: true, body: Registration, detail: docs.registerUser },
    )

    .put('/activated', async ({ body }) => json({ user: userJson(await users.activate(body.token)) }), {
      open: true,
      body: Activation,
      detail: docs.activateUser,
    })

    .put(
      '/password',
      async ({ body, request }) => {
        await users.resetPassword(authorOf(request), body.password, body.token)
        return json({ message: 'your password is successfully reset' })
      },
      { open: true, body: PasswordReset, detail: docs.resetPassword },
    )

    .get(
      '/me',
      async ({ user }) => {
        const { permissions, ...found } = await users.find(user.id)
        return json({ user: { ...userJson(found), permissions } })
      },
      { access: 'activated', detail: docs.showMe },
    )
}
