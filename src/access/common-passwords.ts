import { dictionary } from '@zxcvbn-ts/language-common'

/**
 * The 10,000 commonest passwords that are long enough to be tried, a line each. Import it as a macro, so that the
 * list is part of the executable and the library that brings it (MIT) is not.
 */
export function commonPasswords(shortest: number): string {
  const ranked: unknown = dictionary['passwords-common']
  if (!Array.isArray(ranked)) throw new TypeError('the dictionary holds no list of passwords')
  return ranked
    .slice(0, 10_000)
    .filter((password) => password.length >= shortest)
    .join('\n')
}
