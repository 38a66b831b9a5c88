import type { Db } from '../db/client'
import { BUILT_IN_USER_ID } from '../db/schema'
import { Failure, OperatorError } from '../errors'
import { NOT_A_USER } from '../movies/model'
import { parseId } from '../rules/fields'
import { quoted } from '../rules/suggest'
import { findUser, findUserByLogin } from '../users/store'

/** The built-in account has no password, and no keys. */
export function requireNotBuiltIn({ id }: NamedUser) {
  if (id === BUILT_IN_USER_ID) throw new OperatorError('the account Redlight is built in and stays as it is')
}

export const nameOf = ({ id, email, username }: Pick<NamedUser, 'id' | 'email' | 'username'>) =>
  email ?? username ?? `user ${id}`

/** By id, email address or username; throws if there is no such user. */
export async function userNamed(db: Db, text: string) {
  const id = parseId(text)
  const user = id === undefined ? await findUserByLogin(db, text) : await findUser(db, id)
  if (user === undefined) throw noUser(text)
  return user
}

export const noUser = (text: string) =>
  new OperatorError(`there is no user ${quoted(text)}; "redlight users list" shows all`)

/** Reports a user who has been removed meanwhile like an unknown one. */
export const unlessGone =
  (text: string) =>
  (error: unknown): never => {
    throw error instanceof Failure && saysGone(error) ? noUser(text) : error
  }

const saysGone = ({ code, detail: { error } }: Failure) =>
  code === 'notFound' || (typeof error === 'object' && error.id === NOT_A_USER)

export type NamedUser = Awaited<ReturnType<typeof userNamed>>
