import { type AnyElysia, Elysia } from 'elysia'
import { contextOf } from '../http/context'
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
      async ({ body, request, set }) => {
        const mail = await limiter.registration(body.email, contextOf(request).limitKey)
        const user = await users.register(body).catch(async (error) => {
          await mail.takeBack()
          throw error
        })
        set.status = 201
        return { user: userJson(user) }
      },
      { json: true, body: Registration, detail: docs.registerUser },
    )

    .put('/activated', async ({ body }) => ({ user: userJson(await users.activate(body.token)) }), {
      json: true,
      body: Activation,
      detail: docs.activateUser,
    })

    .put(
      '/password',
      async ({ body }) => {
        await users.resetPassword(body.password, body.token)
        return { message: 'your password is successfully reset' }
      },
      { json: true, body: PasswordReset, detail: docs.resetPassword },
    )

    .get(
      '/me',
      async ({ user }) => {
        const { permissions, ...found } = await users.find(user.id)
        return { user: { ...userJson(found), permissions } }
      },
      { access: 'activated', detail: docs.showMe },
    )
}
