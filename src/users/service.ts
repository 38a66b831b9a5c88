import { consumeToken, endTokens, findTokenOwner } from '../access/mail-token-store'
import type { Passwords } from '../access/passwords'
import { endSessions, grant } from '../access/store'
import { passwordChanged, passwordReset } from '../audit/events'
import type { Author } from '../audit/model'
import { recordEvent } from '../audit/store'
import type { Db, Tx } from '../db/client'
import { Failure, invalid } from '../errors'
import { recordMail } from '../mail/store'
import type { Permission } from '../permissions'
import { countsOf, lockAccount } from './account-store'
import { passwordRepeats, type Registration, type User } from './model'
import { activateUser, findUser, insertUser, setPassword } from './store'

export type UsersDeps = {
  db: Db
  passwords: Pick<Passwords, 'hash'>
  defaultPermissions: readonly Permission[]
  /** Called when a user's permissions have changed. */
  forgetPrincipal: (userId: number) => void
  /** Called when a mail is waiting to be sent. */
  mailIsDue: () => void
}
export type UsersService = ReturnType<typeof createUsersService>
/** A user as they see themselves. */
export type Me = Awaited<ReturnType<UsersService['find']>>

const invalidActivationToken = () => invalid({ token: 'invalid or expired activation token' })
const invalidResetToken = () => invalid({ token: 'invalid or expired password reset token' })

async function createUser(
  { db, passwords, defaultPermissions }: UsersDeps,
  { email, username = null, password, name }: Registration,
  activated: boolean,
): Promise<User> {
  const passwordHash = await passwords.hash(password)
  return db.transaction(async (tx) => {
    const names = { name: name ?? username ?? '', email, username }
    const user = await insertUser(tx, { ...names, passwordHash, activated })
    await grant(tx, user.id, defaultPermissions)
    if (!activated) await recordMail(tx, { userId: user.id, kind: 'activation' })
    return user
  })
}

/** Sets a password; ends all sessions and older mails, and tells the user. */
async function startAnew(tx: Tx, userId: number, passwordHash: string): Promise<void> {
  await setPassword(tx, userId, passwordHash)
  await endTokens(tx, userId, ['password-reset', 'email-change'])
  await endSessions(tx, userId)
  await recordMail(tx, { userId, kind: 'password-changed' })
}

export function createUsersService(deps: UsersDeps) {
  const { db, passwords, forgetPrincipal, mailIsDue } = deps

  return {
    /** Adds a user and sends an activation mail. */
    async register(registration: Registration): Promise<User> {
      const user = await createUser(deps, registration, false)
      mailIsDue()
      return user
    },

    /** Adds a user for the operator, activated at once. */
    add: (registration: Registration) => createUser(deps, registration, true),

    async activate(token: string): Promise<User> {
      const user = await db.transaction(async (tx) => {
        const userId = await consumeToken(tx, 'activation', token)
        return userId === undefined ? undefined : activateUser(tx, userId)
      })
      if (user === undefined) throw invalidActivationToken()
      forgetPrincipal(user.id)
      return user
    },

    /** A refused password doesn't use up the token. */
    async resetPassword(author: Author, password: string, token: string): Promise<void> {
      const owner = await findTokenOwner(db, 'password-reset', token)
      if (owner === undefined) throw invalidResetToken()
      const problems = passwordRepeats(password, owner)
      if (Object.keys(problems).length > 0) throw invalid(problems)
      const passwordHash = await passwords.hash(password)
      await db.transaction(async (tx) => {
        await lockAccount(tx, owner.id)
        const userId = await consumeToken(tx, 'password-reset', token)
        if (userId === undefined) throw invalidResetToken()
        await startAnew(tx, userId, passwordHash)
        await recordEvent(tx, { ...author, actor: owner }, passwordReset(owner))
      })
      forgetPrincipal(owner.id)
      mailIsDue()
    },

    /** Sets a user's password for the operator. */
    async setPassword(author: Author, user: { id: number; name: string }, password: string): Promise<void> {
      const passwordHash = await passwords.hash(password)
      await db.transaction(async (tx) => {
        await lockAccount(tx, user.id)
        await startAnew(tx, user.id, passwordHash)
        await recordEvent(tx, author, passwordChanged(user))
      })
      forgetPrincipal(user.id)
      mailIsDue()
    },

    async find(userId: number) {
      const user = await findUser(db, userId)
      if (user === undefined) throw new Failure('invalidAuthenticationToken')
      return { ...user, counts: await countsOf(db, userId) }
    },
  }
}
