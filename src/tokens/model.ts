import { type Static, Type } from '@sinclair/typebox'
import { MAX_PASSWORD, passwordProblem } from '../access/passwords'
import { text, textProblem } from '../rules/fields'
import { field, isMissing, nullable, type ObjectRule, object } from '../rules/objects'

const oneName: ObjectRule = ({ email, username }): Readonly<Record<string, string>> => {
  if (isMissing(email) && isMissing(username)) return { email: 'must be provided, unless username is' }
  return isMissing(email) || isMissing(username) ? {} : { username: 'must not be given together with email' }
}

/**
 * Allows more characters: an earlier version hashed the password as sent, so it may be longer once
 * normalized.
 */
const password = field<string>({ type: 'string', minLength: 1, maxLength: MAX_PASSWORD }, (value) =>
  textProblem(value, 1, MAX_PASSWORD) === undefined ? undefined : passwordProblem(value, 1),
)

export const Credentials = object(
  {
    email: Type.Optional(nullable(text(1, 500))),
    username: Type.Optional(nullable(text(1, 500))),
    password,
  },
  oneName,
)
export type Credentials = Static<typeof Credentials>

export const MailRequest = object({ email: text(1, 500) })
