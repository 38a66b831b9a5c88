import { composeLetter, curlPut, expiry, greeting, type Letter, type LetterValues } from './letter'

export function activationLetter(
  { name, token, expiresAt, publicUrl }: LetterValues,
  now = new Date(),
): Letter {
  return composeLetter('Activate your Redlight account', [
    { say: greeting(name) },
    { say: 'Welcome to Redlight! One step is left: activate your account with this token.' },
    { copy: token },
    { say: 'This command does it, in any terminal:' },
    { copy: curlPut(publicUrl, '/v1/users/activated', { token }) },
    {
      say: `The token works once and expires ${expiry(expiresAt, now)}. If that is too soon, ask for another with POST /v1/tokens/activation.`,
    },
    {
      say: "If you did not register at Redlight, someone has typed your address by mistake. You don't need to do anything: without the token the account stays closed, and it will be removed.",
    },
  ])
}
