import { accountOf, type CountFailure, signInCounted } from '../access/failed-sign-ins'
import type { Jwt, SignedToken } from '../access/jwt'
import { consumeToken, endTokens, findTokenOwner } from '../access/mail-token-store'
import type { Passwords } from '../access/passwords'
import { endSessions } from '../access/store'
import { emailChanged, passwordChanged } from '../audit/events'
import type { Author } from '../audit/model'
import { recordEvent } from '../audit/store'
import type { Db, Tx } from '../db/client'
import { Failure, invalid } from '../errors'
import { recordMail } from '../mail/store'
import { foldCase } from '../rules/fields'
import type { AccountChanges } from './account-model'
import {
  type Account,
  adoptEmail,
  findAccount,
  isTaken,
  lockAccount,
  type NewAccount,
  updateAccount,
} from './account-store'
import { passwordRepeats, type User } from './model'
import { emailIsTaken } from './store'

export type AccountDeps = {
  readonly db: Db
  readonly passwords: Pick<Passwords, 'hash' | 'verify'>
  readonly jwt: Pick<Jwt, 'sign'>
  /** Removes a user, unless that would leave no admin. */
  readonly removeUser: (author: Author, id: number, action: 'account.removed') => Promise<unknown>
  readonly forgetPrincipal: (userId: number) => void
  readonly mailIsDue: () => void
}
export type AccountService = ReturnType<typeof createAccountService>

/** The limits that a change counts for. */
export type Limits = {
  readonly countFailure: CountFailure
  /** Throws the 429 of a mailbox or an address that was sent too many mails. */
  readonly countMail: (email: string) => Promise<void>
}

const wrongPassword = () => invalid({ current_password: 'is not your password' })
const invalidToken = () => invalid({ token: 'invalid or expired email change token' })

/** Throws a 422 unless it is the account's password; counted as a failed sign-in with its address. */
async function provePassword(
  { passwords }: Pick<AccountDeps, 'passwords'>,
  account: Account,
  password: string,
  countFailure: CountFailure,
): Promise<void> {
  const failure = await countFailure(account.email ?? '')
  const proven = await signInCounted(failure, async () => {
    const mayTry = await failure.countAccount(accountOf(account.id))
    return (await passwords.verify(password, (mayTry && account.passwordHash) || undefined)) || undefined
  })
  if (!proven) throw wrongPassword()
}

/** Only the new address's owner can make it the account's. */
async function askToConfirm(tx: Tx, userId: number, email: string): Promise<void> {
  await endTokens(tx, userId, ['email-change'])
  await recordMail(tx, { userId, kind: 'email-change', recipient: email })
}

/** A new password ends what older mails were good for, and all sessions. */
async function startOver(tx: Tx, author: Author, user: User): Promise<number> {
  await endTokens(tx, user.id, ['password-reset', 'email-change'])
  await recordMail(tx, { userId: user.id, kind: 'password-changed' })
  await recordEvent(tx, author, passwordChanged(user))
  return endSessions(tx, user.id)
}

async function judge(deps: AccountDeps, account: Account, changes: AccountChanges, limits: Limits) {
  const { email, password, current_password: current } = changes
  const problems = passwordRepeats(password, { ...account, ...changes })
  if (Object.keys(problems).length > 0) throw invalid(problems)
  if (email === undefined && password === undefined) return
  await provePassword(deps, account, current ?? '', limits.countFailure)
  if (email === undefined) return
  // Counted before it is looked up, or it would be a directory of addresses.
  await limits.countMail(email)
  const isOwn = foldCase(email) === foldCase(account.email ?? '')
  if (isOwn || (await isTaken(deps.db, email))) throw emailIsTaken()
}

async function columnsOf({ passwords }: AccountDeps, changes: AccountChanges): Promise<NewAccount> {
  const { name, username, email, password } = changes
  return {
    ...(name !== undefined && { name }),
    ...(username !== undefined && { username }),
    // A new password ends the wait for an address that somebody else may have asked for.
    ...(password !== undefined && { passwordHash: await passwords.hash(password), pendingEmail: null }),
    ...(email !== undefined && { pendingEmail: email }),
  }
}

export function createAccountService(deps: AccountDeps) {
  const { db, jwt, removeUser, forgetPrincipal, mailIsDue } = deps

  async function load(id: number): Promise<Account> {
    const account = await findAccount(db, id)
    if (account === undefined) throw new Failure('invalidAuthenticationToken')
    return account
  }

  /** Returns the fresh token that a new password comes with. */
  async function change(
    author: Author,
    id: number,
    changes: AccountChanges,
    limits: Limits,
  ): Promise<SignedToken | undefined> {
    const account = await load(id)
    await judge(deps, account, changes, limits)
    const isProven = changes.email !== undefined || changes.password !== undefined
    const columns = await columnsOf(deps, changes)
    if (Object.keys(columns).length === 0) return undefined
    const generation = await db.transaction(async (tx) => {
      const updated = await updateAccount(tx, id, columns, isProven ? account.passwordHash : undefined)
      // The password was changed, or the account removed, since the account was read.
      if (updated === undefined) throw isProven ? wrongPassword() : new Failure('invalidAuthenticationToken')
      const started = changes.password === undefined ? undefined : await startOver(tx, author, updated)
      if (changes.email !== undefined) await askToConfirm(tx, id, changes.email)
      return started
    })
    forgetPrincipal(id)
    mailIsDue()
    return generation === undefined ? undefined : jwt.sign(id, generation)
  }

  return {
    change,

    /** Makes the address that the token was sent to the account's. A taken address doesn't use it up. */
    async confirmEmail(author: Author, token: string): Promise<User> {
      const owner = await findTokenOwner(db, 'email-change', token)
      if (owner === undefined) throw invalidToken()
      const user = await db.transaction(async (tx) => {
        const account = await lockAccount(tx, owner.id)
        const isUsed = (await consumeToken(tx, 'email-change', token)) === undefined
        const user = isUsed ? undefined : await adoptEmail(tx, owner.id, owner.newEmail ?? '')
        if (user === undefined || !account?.email) throw invalidToken()
        await endTokens(tx, user.id, ['activation', 'password-reset'])
        await endSessions(tx, user.id)
        await recordMail(tx, { userId: user.id, kind: 'email-changed', recipient: account.email })
        await recordEvent(tx, { ...author, actor: user }, emailChanged(user, account.email, user.email))
        return user
      })
      forgetPrincipal(user.id)
      mailIsDue()
      return user
    },

    /** Removes the user's own account. */
    async remove(author: Author, id: number, password: string, countFailure: CountFailure): Promise<void> {
      await provePassword(deps, await load(id), password, countFailure)
      await removeUser(author, id, 'account.removed')
    },
  }
}
