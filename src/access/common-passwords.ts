import { dictionary } from '@zxcvbn-ts/language-common'

/**
 * The 10,000 commonest passwords of at least this length, one per line. Import it as a macro, so that the
 * executable contains the list but not the (MIT) library.
 */
export function commonPasswords(shortest: number): string {
  const ranked: unknown = dictionary['passwords-common']
  if (!Array.isArray(ranked)) throw new TypeError('the dictionary has no list of passwords')
  return ranked
    .slice(0, 10_000)
    .filter((password) => password.length >= shortest)
    .join('\n')
}
