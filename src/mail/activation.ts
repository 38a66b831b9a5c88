import {
  composeLetter,
  curlPut,
  expiry,
  greeting,
  type Letter,
  pageLink,
  type TokenLetterValues,
} from './letter'

export function activationLetter(
  { name, token, expiresAt, publicUrl, site }: TokenLetterValues,
  now = new Date(),
): Letter {
  return composeLetter(`Activate your ${site.name} account`, [
    { say: greeting(name) },
    { say: `Welcome to ${site.name}! One step is left: follow this link, and press the button on its page.` },
    { link: pageLink(publicUrl, '/activate', token), as: 'Activate my account' },
    {
      say: `It works once and expires ${expiry(expiresAt, now)}. After that, the same page sends you a new one.`,
    },
    { say: 'If you would rather use the API, this is your token:' },
    { copy: token },
    { say: 'And this is the command that sends it, in any terminal:' },
    { copy: curlPut(publicUrl, '/v1/users/activated', { token }) },
    {
      say: `If you did not register at ${site.name}, someone has typed your address by mistake. You don't need to do anything: the account stays closed, and it will be removed.`,
    },
  ])
}
