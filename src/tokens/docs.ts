import {
  authenticationToken,
  exampleToken,
  messageAnswer,
  type Operation,
  objectOf,
} from '../openapi/operation'

const email = {
  description: 'The address of an account, in any case.',
}
const mailRequest = {
  name: 'MailRequest',
  fields: { email },
  examples: { email: { summary: 'By address', value: { email: 'alice@example.com' } } },
}

const tokenAnswer = {
  description: 'The token.',
  schema: objectOf({ authentication_token: authenticationToken }),
  example: { authentication_token: exampleToken },
}

export const signIn: Operation = {
  operationId: 'signIn',
  summary: 'Sign in',
  description:
    'Returns the token for other requests. Unactivated accounts can sign in, but not use the catalogue.',
  body: {
    name: 'Credentials',
    fields: {
      email,
      username: { description: 'The username of an account, in any case.' },
      password: { format: 'password' },
    },
    together: { oneOf: [{ required: ['email'] }, { required: ['username'] }] },
    examples: {
      email: {
        summary: 'By email address',
        value: { email: 'alice@example.com', password: 'pa55word-of-alice' },
      },
      username: { summary: 'By username', value: { username: 'bob42', password: 'pa55word-of-bob' } },
    },
  },
  answers: {
    201: tokenAnswer,
  },
  refusals: ['invalidCredentials', 'tooManySignIns'],
  problems: { password: 'must be provided' },
}

export const renewToken: Operation = {
  operationId: 'renewToken',
  summary: 'Renew a token',
  description:
    'Returns a fresh token for the same sign-in; the old one stays valid to its end. A sign-in can be renewed for 30 days, unless configured otherwise; then the answer is 401.',
  answers: { 201: tokenAnswer },
}

export const signOutEverywhere: Operation = {
  operationId: 'signOutEverywhere',
  summary: 'Sign out everywhere',
  description: 'All tokens issued to you so far stop working.',
  answers: { 200: messageAnswer('You are signed out.', 'you are signed out everywhere') },
}

export const requestActivation: Operation = {
  operationId: 'requestActivation',
  summary: 'Ask for another activation mail',
  description: 'Earlier tokens stay valid until one is used.',
  body: mailRequest,
  answers: {
    202: messageAnswer(
      'The mail will be sent.',
      'an email will be sent to you containing activation instructions',
    ),
  },
  problems: { email: 'no matching email address found' },
}

export const requestPasswordReset: Operation = {
  operationId: 'requestPasswordReset',
  summary: 'Ask for a password reset mail',
  description: 'For activated accounts.',
  body: mailRequest,
  answers: {
    202: messageAnswer(
      'The mail will be sent.',
      'an email will be sent to you containing password reset instruction',
    ),
  },
  problems: { email: 'no matching email address found' },
}
