import { composeLetter, greeting, type Letter, type LetterValues, pageOf } from './letter'

/** To the old address of an account. */
export function emailChangedLetter({ name, site }: LetterValues): Letter {
  return composeLetter(`The address of your ${site.name} account was changed`, [
    { say: greeting(name) },
    {
      say: `Your ${site.name} account has another address now, which was confirmed with a mail to it. Mails no longer go here, and you are signed out everywhere.`,
    },
    {
      say: 'If it was not you, someone else uses your account: tell the people who run this site at once.',
    },
    { link: site.url, as: `Go to ${site.name}` },
  ])
}

export function passwordChangedLetter({ name, publicUrl, site }: LetterValues): Letter {
  return composeLetter(`Your ${site.name} password was changed`, [
    { say: greeting(name) },
    { say: `Your ${site.name} account has a new password. You are signed out everywhere else.` },
    {
      say: 'If it was you, there is nothing left to do. If not, choose a new password at once, on this page:',
    },
    { link: pageOf(publicUrl, '/reset-password'), as: 'Choose a new password' },
  ])
}
