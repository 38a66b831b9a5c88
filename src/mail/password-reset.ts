import { composeLetter, curlPut, expiry, greeting, type Letter, type LetterValues } from './letter'

export function passwordResetLetter(
  { name, token, expiresAt, publicUrl }: LetterValues,
  now = new Date(),
): Letter {
  return composeLetter('Reset your Redlight password', [
    { say: greeting(name) },
    {
      say: 'Someone, most likely you, asked to reset the password of your Redlight account. This is the token:',
    },
    { copy: token },
    { say: 'Put your new password into this command and run it in any terminal:' },
    { copy: curlPut(publicUrl, '/v1/users/password', { password: 'your new password', token }) },
    {
      say: `The token works once and expires ${expiry(expiresAt, now)}. If that is too soon, ask for another with POST /v1/tokens/password-reset. A new password signs you out everywhere.`,
    },
    {
      say: "If it was not you, you don't need to do anything: your password stays as it is. Show the token to nobody; we never ask for it.",
    },
  ])
}
