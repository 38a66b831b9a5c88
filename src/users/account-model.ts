import { type Static, Type } from '@sinclair/typebox'
import { text } from '../rules/fields'
import { isMissing, MISSING, nullable, type ObjectRule, object } from '../rules/objects'
import { currentPassword, email, name, newPassword, username } from './model'

const isProven: ObjectRule = (changes) => {
  const needsProof = !isMissing(changes.email) || !isMissing(changes.password)
  const problems: Record<string, string> = {}
  if (needsProof && isMissing(changes.current_password)) problems.current_password = MISSING
  return problems
}

/** What users change of their own account; `email` and `password` need the current password. */
export const AccountChanges = object(
  {
    name: Type.Optional(name),
    username: Type.Optional(nullable(username)),
    email: Type.Optional(email),
    password: Type.Optional(newPassword),
    current_password: Type.Optional(nullable(currentPassword)),
  },
  isProven,
)
export type AccountChanges = Static<typeof AccountChanges>

export const AccountRemoval = object({ current_password: currentPassword })
export const EmailConfirmation = object({ token: text(1, 128) })

export type Counts = { readonly movies: number; readonly favourites: number; readonly keys: number }
