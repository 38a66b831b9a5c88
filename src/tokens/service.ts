import type { Jwt } from '../access/jwt'
import type { Passwords } from '../access/passwords'
import { endSessions, findLogin } from '../access/store'
import { sessionsEnded } from '../audit/events'
import type { Author } from '../audit/model'
import { recordEvent } from '../audit/store'
import type { Db } from '../db/client'
import { constraintFailure } from '../db/errors'
import type { MailKind } from '../db/schema'
import { Failure, invalid } from '../errors'
import { recordMail } from '../mail/store'
import type { Principal } from '../permissions'
import { foldCase } from '../rules/fields'
import { isMissing } from '../rules/objects'
import type { Credentials } from './model'

export type TokensDeps = {
  db: Db
  jwt: Pick<Jwt, 'sign'>
  passwords: Pick<Passwords, 'verify'>
  forgetPrincipal: (userId: number) => void
  mailIsDue: () => void
}
export type TokensService = ReturnType<typeof createTokensService>

/**
 * Counts a sign-in as failed before it is tried, first for the given name, then for the account; the caller
 * takes it back unless the credentials were wrong.
 */
export type CountFailure = (name: string) => Promise<FailureCount>
export type FailureCount = {
  /** False when this account has used up its failures, under any of its names. */
  countAccount(account: string): Promise<boolean>
  takeBack(): Promise<void>
}

const noSuchAddress = () => invalid({ email: 'no matching email address found' })

/** The account that these credentials belong to; throws 401 when they are wrong. */
async function verifyCredentials(
  { db, passwords }: Pick<TokensDeps, 'db' | 'passwords'>,
  { email, username, password }: Credentials,
  countFailure: CountFailure,
) {
  const name = email ?? username ?? ''
  const failure = await countFailure(name)
  try {
    const user = await findLogin(db, isMissing(email) ? { username: name } : { email: name })
    const account = user === undefined ? `unknown ${foldCase(name)}` : `user ${user.id}`
    const mayTry = await failure.countAccount(account)
    // Refused like a wrong password: a 429 here would reveal that two names share an account.
    const matches = await passwords.verify(password, (mayTry && user?.passwordHash) || undefined)
    if (user !== undefined && matches) {
      await failure.takeBack()
      return user
    }
  } catch (error) {
    await failure.takeBack()
    throw error
  }
  throw new Failure('invalidCredentials')
}

export function createTokensService(deps: TokensDeps) {
  const { db, jwt, forgetPrincipal, mailIsDue } = deps

  async function requestMail(
    email: string,
    kind: MailKind,
    refuse: (activated: boolean) => string | undefined,
  ) {
    const user = await findLogin(db, { email })
    if (user === undefined) throw noSuchAddress()
    const problem = refuse(user.activated)
    if (problem !== undefined) throw invalid({ email: problem })
    try {
      await db.transaction((tx) => recordMail(tx, { userId: user.id, kind }))
    } catch (error) {
      // The account was removed between the two statements.
      throw constraintFailure(error, 'mails', { mails_user_id_users_id_fk: noSuchAddress })
    }
    mailIsDue()
  }

  return {
    async signIn(credentials: Credentials, countFailure: CountFailure) {
      const user = await verifyCredentials(deps, credentials, countFailure)
      return jwt.sign(user.id, user.tokenGeneration)
    },

    async signOutEverywhere(author: Author, user: Principal): Promise<void> {
      await db.transaction(async (tx) => {
        await endSessions(tx, user.id)
        await recordEvent(tx, author, sessionsEnded(user))
      })
      forgetPrincipal(user.id)
    },

    requestActivation: (email: string) =>
      requestMail(email, 'activation', (activated) =>
        activated ? 'user has already been activated' : undefined,
      ),

    requestPasswordReset: (email: string) =>
      requestMail(email, 'password-reset', (activated) =>
        activated ? undefined : 'user account must be activated',
      ),
  }
}
