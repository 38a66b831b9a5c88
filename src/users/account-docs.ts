import {
  authenticationToken,
  exampleToken,
  messageAnswer,
  named,
  type Operation,
  objectOf,
} from '../openapi/operation'
import { permissions } from '../permissions'
import { alice, mailedToken, newPassword, optionalUserProperties, userProperties, userSchema } from './docs'

const count = { type: 'integer', minimum: 0 }
const currentUser = named(
  'CurrentUser',
  objectOf(
    {
      ...userProperties,
      permissions: { type: 'array', items: { type: 'string', enum: permissions } },
      counts: objectOf({ movies: count, favourites: count, keys: count }),
    },
    optionalUserProperties,
  ),
)
const me = {
  ...alice,
  activated: true,
  permissions: ['movies:read', 'movies:write'],
  counts: { movies: 3, favourites: 12, keys: 1 },
}
const currentPassword = { format: 'password', description: 'Your password as it is.' }

export const showMe: Operation = {
  operationId: 'showMe',
  summary: 'Get the current user',
  description:
    'The user of the token, with their permissions, and how many movies, favourites and keys they have.',
  answers: { 200: { description: 'You.', schema: objectOf({ user: currentUser }), example: { user: me } } },
}

export const changeMe: Operation = {
  operationId: 'changeMe',
  summary: 'Change your account',
  description:
    'A new address or password needs your current password. A new address waits as `pending_email` until the token of the mail to it is sent to `PUT /v1/users/email`. A new password signs you out everywhere; the answer has a fresh token. `null` clears the username.',
  body: {
    name: 'AccountChanges',
    fields: {
      name: { description: 'Not blank.' },
      username: { description: 'Unique, regardless of case: letters and digits, starting with a letter.' },
      email: { description: 'Unique, regardless of case.' },
      password: newPassword,
      current_password: currentPassword,
    },
    examples: {
      name: { summary: 'Another name', value: { name: 'Alice Liddell', username: 'alice1' } },
      email: {
        summary: 'Another address',
        value: { email: 'alice.liddell@example.com', current_password: 'pa55word-of-alice' },
      },
    },
  },
  answers: {
    200: {
      description: 'You, as you are now.',
      schema: objectOf({ user: currentUser, authentication_token: authenticationToken }, [
        'authentication_token',
      ]),
      example: { user: { ...me, name: 'Alice Liddell' }, authentication_token: exampleToken },
    },
  },
  refusals: ['tooManySignIns'],
  problems: { current_password: 'is not your password' },
}

export const removeMe: Operation = {
  operationId: 'removeMe',
  summary: 'Remove your account',
  description: 'Your movies go to the built-in account; everything else of yours is removed.',
  body: {
    name: 'AccountRemoval',
    fields: { current_password: currentPassword },
    examples: {
      password: { summary: 'With your password', value: { current_password: 'pa55word-of-alice' } },
    },
  },
  answers: { 200: messageAnswer('Your account is gone.', 'your account was removed') },
  refusals: ['tooManySignIns'],
  problems: { current_password: 'is not your password' },
}

export const confirmEmail: Operation = {
  operationId: 'confirmEmail',
  summary: 'Confirm a new address',
  description:
    'With the token of the mail to the new address, which works once and for 3 days. Signs the user out everywhere, and tells the old address.',
  body: {
    name: 'EmailConfirmation',
    fields: { token: mailedToken },
    examples: { token: { summary: 'A token from a mail', value: { token: 'Y3QMGX3PJ3WLRL2YRTQGQ6KRHU' } } },
  },
  answers: {
    200: {
      description: 'The address is the account’s.',
      schema: objectOf({ user: userSchema }),
      example: { user: { ...alice, activated: true } },
    },
  },
  problems: { token: 'invalid or expired email change token' },
}
