import { type Static, Type } from '@sinclair/typebox'
import {
  givenPasswordProblem,
  isCommonPassword,
  MAX_PASSWORD,
  passwordProblem,
  sameCharacters,
} from '../access/passwords'
import { isMailAddress, MAX_MAIL_ADDRESS_BYTES, text, textProblem, timestampJson } from '../rules/fields'
import { field, isMissing, nullable, type ObjectRule, object, type Rule } from '../rules/objects'

const USERNAME = /^[A-Za-z][A-Za-z0-9]{2,31}$/

const notBlank: Rule = (value) => (String(value).trim() === '' ? 'must not be blank' : undefined)

const emailProblem: Rule = (value) => {
  const problem = textProblem(value, 1, MAX_MAIL_ADDRESS_BYTES)
  if (problem !== undefined) return problem
  const domain = String(value).split('@')[1] ?? ''
  // A host without a dot is one of this network, not of the internet.
  if (!isMailAddress(String(value)) || !domain.includes('.'))
    return 'must be a valid email address like alice@example.com'
}
export const email = field<string>(
  { type: 'string', format: 'email', maxLength: MAX_MAIL_ADDRESS_BYTES },
  emailProblem,
)

export const username = field<string>({ type: 'string', pattern: USERNAME.source }, (value) => {
  if (typeof value !== 'string' || !USERNAME.test(value))
    return 'must be 3 to 32 ASCII letters and digits, starting with a letter'
})

export const name = text(1, 500, notBlank)

export const newPassword = field<string>(
  { type: 'string', minLength: 8, maxLength: MAX_PASSWORD },
  (value) =>
    passwordProblem(value, 8) ??
    (isCommonPassword(String(value))
      ? 'is one of the commonest passwords, please choose another'
      : undefined),
)

export const currentPassword = field<string>(
  { type: 'string', minLength: 1, maxLength: MAX_PASSWORD },
  givenPasswordProblem,
)

/** Refuses a password that repeats public data of the user. */
export function passwordRepeats(
  password: unknown,
  user: Readonly<Record<string, unknown>>,
): Record<string, string> {
  const folded = (value: unknown) => sameCharacters(String(value ?? '')).toLowerCase()
  for (const key of ['name', 'email', 'username'])
    if (typeof password === 'string' && folded(user[key]) === folded(password))
      return { password: `must not be the ${key}` }
  return {}
}

const registrationRule: ObjectRule = (registration) => ({
  ...(isMissing(registration.name) && isMissing(registration.username)
    ? { name: 'must be provided, unless username is' }
    : {}),
  ...passwordRepeats(registration.password, registration),
})

export const Registration = object(
  {
    name: Type.Optional(nullable(name)),
    email,
    username: Type.Optional(nullable(username)),
    password: newPassword,
  },
  registrationRule,
)
export type Registration = Static<typeof Registration>

export const NewPassword = object({ password: newPassword })
export const PasswordReset = object({ password: newPassword, token: text(1, 128) })
export const Activation = object({ token: text(1, 128) })

export type User = {
  id: number
  createdAt: Date
  name: string
  email: string | null
  pendingEmail: string | null
  username: string | null
  activated: boolean
}

/** A user in the API's form (section 4). */
export function userJson(user: User) {
  return {
    id: user.id,
    created_at: timestampJson(user.createdAt),
    name: user.name,
    email: user.email,
    pending_email: user.pendingEmail ?? undefined,
    username: user.username ?? undefined,
    activated: user.activated,
  }
}
