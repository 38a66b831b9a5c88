import {
  composeLetter,
  curlPut,
  expiry,
  greeting,
  type Letter,
  pageLink,
  type TokenLetterValues,
} from './letter'

export function passwordResetLetter(
  { name, token, expiresAt, publicUrl, site }: TokenLetterValues,
  now = new Date(),
): Letter {
  return composeLetter(`Reset your ${site.name} password`, [
    { say: greeting(name) },
    {
      say: `Someone, most likely you, asked to reset the password of your ${site.name} account. Follow this link, and choose a new one on its page.`,
    },
    { link: pageLink(publicUrl, '/reset-password', token), as: 'Choose a new password' },
    {
      say: `It works once and expires ${expiry(expiresAt, now)}. After that, the same page sends you a new one. A new password signs you out everywhere.`,
    },
    { say: 'If you would rather use the API, this is your token:' },
    { copy: token },
    { say: 'And this is the command that sends it with your new password, in any terminal:' },
    { copy: curlPut(publicUrl, '/v1/users/password', { password: 'your new password', token }) },
    {
      say: "If it was not you, you don't need to do anything: your password stays as it is. Show the link and the token to nobody; we never ask for them.",
    },
  ])
}
