import { type Static, Type } from '@sinclair/typebox'
import { givenPasswordProblem, MAX_PASSWORD } from '../access/passwords'
import { text } from '../rules/fields'
import { field, isMissing, nullable, type ObjectRule, object } from '../rules/objects'

const oneName: ObjectRule = ({ email, username }): Readonly<Record<string, string>> => {
  if (isMissing(email) && isMissing(username)) return { email: 'must be provided, unless username is' }
  return isMissing(email) || isMissing(username) ? {} : { username: 'must not be given together with email' }
}

const password = field<string>(
  { type: 'string', minLength: 1, maxLength: MAX_PASSWORD },
  givenPasswordProblem,
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
