import { type AnyElysia, Elysia } from 'elysia'
import { authenticationToken, json } from '../http/answers'
import { authorOf, contextOf } from '../http/context'
import type { Guards } from '../http/guards'
import type { Limiter } from '../limits/rate-limit'
import * as accountDocs from './account-docs'
import { AccountChanges, AccountRemoval, EmailConfirmation } from './account-model'
import type { AccountService } from './account-service'
import * as docs from './docs'
import { Activation, PasswordReset, Registration, userJson } from './model'
import type { Me, UsersService } from './service'

type UserLimits = Pick<Limiter, 'registration' | 'failedSignIn' | 'mail'>

/** The limits of a change, for the client that asks. */
function limitsOf(limiter: UserLimits, request: Request) {
  const { limitKey } = contextOf(request)
  return {
    countFailure: (name: string) => limiter.failedSignIn(name, limitKey),
    countMail: (email: string) => limiter.mail(email, limitKey),
  }
}

const meJson = ({ permissions, counts, ...user }: Me) => ({ ...userJson(user), permissions, counts })

export function userRoutes(
  users: UsersService,
  account: AccountService,
  limiter: UserLimits,
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

    .get('/me', async ({ user }) => json({ user: meJson(await users.find(user.id)) }), {
      access: 'activated',
      detail: accountDocs.showMe,
    })

    .patch(
      '/me',
      async ({ body, user, request }) => {
        const limits = limitsOf(limiter, request)
        const token = await account.change(authorOf(request), user.id, body, limits)
        const me = meJson(await users.find(user.id))
        return json({ user: me, authentication_token: token && authenticationToken(token) })
      },
      { access: 'activated', body: AccountChanges, detail: accountDocs.changeMe },
    )

    .delete(
      '/me',
      async ({ body, user, request }) => {
        const { countFailure } = limitsOf(limiter, request)
        await account.remove(authorOf(request), user.id, body.current_password, countFailure)
        return json({ message: 'your account was removed' })
      },
      { access: 'activated', body: AccountRemoval, detail: accountDocs.removeMe },
    )

    .put(
      '/email',
      async ({ body, request }) =>
        json({ user: userJson(await account.confirmEmail(authorOf(request), body.token)) }),
      { open: true, body: EmailConfirmation, detail: accountDocs.confirmEmail },
    )
}
