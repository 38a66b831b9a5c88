import { messageAnswer, named, type Operation, objectOf } from '../openapi/operation'

export const userProperties = {
  id: { type: 'integer', format: 'int64', minimum: 1 },
  created_at: { type: 'string', format: 'date-time' },
  name: { type: 'string', minLength: 1, maxLength: 500 },
  email: { type: 'string', format: 'email' },
  pending_email: {
    type: 'string',
    format: 'email',
    description: 'A new address that is not confirmed yet.',
  },
  username: { type: 'string' },
  activated: { type: 'boolean' },
}
export const optionalUserProperties = ['username', 'pending_email']
export const userSchema = named('User', objectOf(userProperties, optionalUserProperties))
export const alice = {
  id: 2,
  created_at: '2026-01-02T03:04:05Z',
  name: 'Alice',
  email: 'alice@example.com',
}

export const newPassword = {
  description: 'Not the name, email or username, and not one of the commonest passwords.',
  format: 'password',
}
export const mailedToken = { description: 'The 26 characters from the mail.' }

export const registerUser: Operation = {
  operationId: 'registerUser',
  summary: 'Register',
  description: 'Creates an account and sends it an activation mail.',
  body: {
    name: 'Registration',
    fields: {
      name: { description: 'Not blank. Defaults to the username.' },
      email: { description: 'Unique, regardless of case.' },
      username: { description: 'Unique, regardless of case: letters and digits, starting with a letter.' },
      password: newPassword,
    },
    together: {
      anyOf: [
        { required: ['name'], properties: { name: { type: 'string' } } },
        { required: ['username'], properties: { username: { type: 'string' } } },
      ],
    },
    examples: {
      name: {
        summary: 'With a name',
        value: { name: 'Alice', email: 'alice@example.com', password: 'pa55word-of-alice' },
      },
      username: {
        summary: 'With a username',
        value: { username: 'bob42', email: 'bob@example.com', password: 'pa55word-of-bob' },
      },
    },
  },
  answers: {
    201: {
      description: 'The account was created; it must be activated next.',
      schema: objectOf({ user: userSchema }),
      example: { user: { ...alice, activated: false } },
    },
  },
  refusals: ['tooManySignIns'],
  problems: { email: 'a user with this email address already exists' },
}

export const activateUser: Operation = {
  operationId: 'activateUser',
  summary: 'Activate an account',
  description: 'With the token of the activation mail, which works once and for 3 days.',
  body: {
    name: 'Activation',
    fields: { token: mailedToken },
    examples: { token: { summary: 'A token from a mail', value: { token: 'Y3QMGX3PJ3WLRL2YRTQGQ6KRHU' } } },
  },
  answers: {
    200: {
      description: 'The account is active.',
      schema: objectOf({ user: userSchema }),
      example: { user: { ...alice, activated: true } },
    },
  },
  problems: { token: 'invalid or expired activation token' },
}

export const resetPassword: Operation = {
  operationId: 'resetPassword',
  summary: 'Set a new password',
  description:
    'With the token of the password reset mail, which works once and for 45 minutes. Signs the user out everywhere.',
  body: {
    name: 'PasswordReset',
    fields: { password: newPassword, token: mailedToken },
    examples: {
      token: {
        summary: 'A token from a mail',
        value: { password: 'another-pa55word-of-alice', token: 'QBYAT5WYU3XIT6JWKVCIEPMKTI' },
      },
    },
  },
  answers: { 200: messageAnswer('The new password is set.', 'your password is successfully reset') },
  refusals: ['tooManySignIns'],
  problems: { token: 'invalid or expired password reset token' },
}
