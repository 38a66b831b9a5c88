import {
  composeLetter,
  curlPut,
  expiry,
  greeting,
  type Letter,
  pageLink,
  type TokenLetterValues,
} from './letter'

/** To the new address of an account. */
export function emailChangeLetter(
  { name, token, expiresAt, publicUrl, site }: TokenLetterValues,
  now = new Date(),
): Letter {
  return composeLetter(`Confirm your new ${site.name} address`, [
    { say: greeting(name) },
    {
      say: `Someone, most likely you, asked to use this address for your ${site.name} account. Follow this link, and press the button on its page.`,
    },
    { link: pageLink(publicUrl, '/confirm-email', token), as: 'Use this address' },
    {
      say: `It works once and expires ${expiry(expiresAt, now)}. It signs you out everywhere: sign in with the new address then.`,
    },
    { say: 'If you would rather use the API, this is your token:' },
    { copy: token },
    { say: 'And this is the command that sends it, in any terminal:' },
    { copy: curlPut(publicUrl, '/v1/users/email', { token }) },
    {
      say: "If it was not you, someone has typed your address by mistake. You don't need to do anything: their account keeps the address that it has.",
    },
  ])
}
