import { accountOf, type CountFailure, signInCounted } from '../access/failed-sign-ins'
import type { Jwt } from '../access/jwt'
import type { Passwords } from '../access/passwords'
import { endSessions, findLogin } from '../access/store'
import { sessionsEnded } from '../audit/events'
import type { Author } from '../audit/model'
import { recordEvent } from '../audit/store'
import type { Db } from '../db/client'
import { constraintFailure } from '../db/errors'
import type { TokenScope } from '../db/schema'
import { Failure, invalid } from '../errors'
import { recordMail } from '../mail/store'
import type { Principal } from '../permissions'
import { foldCase } from '../rules/fields'
import { isMissing } from '../rules/objects'
import type { Credentials } from './model'

export type TokensDeps = {
  db: Db
  jwt: Pick<Jwt, 'sign' | 'renew'>
  passwords: Pick<Passwords, 'verify'>
  forgetPrincipal: (userId: number) => void
  mailIsDue: () => void
}
export type TokensService = ReturnType<typeof createTokensService>

const noSuchAddress = () => invalid({ email: 'no matching email address found' })

/** The account that these credentials belong to; throws 401 when they are wrong. */
async function verifyCredentials(
  { db, passwords }: Pick<TokensDeps, 'db' | 'passwords'>,
  { email, username, password }: Credentials,
  countFailure: CountFailure,
) {
  const name = email ?? username ?? ''
  const failure = await countFailure(name)
  const signedIn = await signInCounted(failure, async () => {
    const user = await findLogin(db, isMissing(email) ? { username: name } : { email: name })
    const mayTry = await failure.countAccount(
      user === undefined ? `unknown ${foldCase(name)}` : accountOf(user.id),
    )
    // Refused like a wrong password: a 429 here would reveal that two names share an account.
    const matches = await passwords.verify(password, (mayTry && user?.passwordHash) || undefined)
    return matches ? user : undefined
  })
  if (signedIn === undefined) throw new Failure('invalidCredentials')
  return signedIn
}

export function createTokensService(deps: TokensDeps) {
  const { db, jwt, forgetPrincipal, mailIsDue } = deps

  async function requestMail(
    email: string,
    kind: TokenScope,
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

    /** A fresh token for the session of this one. Throws a 401 once the session is over. */
    async renew(token: string) {
      const renewed = await jwt.renew(token)
      if (renewed === undefined) throw new Failure('invalidAuthenticationToken')
      return renewed
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
