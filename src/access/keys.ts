const PREFIX = 'rl_'
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const RANDOM_BITS = 178n
const RANDOM_DIGITS = 30
const CHECKSUM_DIGITS = 6
const KEY = new RegExp(`^${PREFIX}([0-9A-Za-z]{${RANDOM_DIGITS}})([0-9A-Za-z]{${CHECKSUM_DIGITS}})$`)
/** Characters of a key that its owner sees later. */
const SHOWN = 7

function inBase62(number: bigint, digits: number): string {
  let text = ''
  for (let rest = number; text.length < digits; rest /= 62n) text = DIGITS[Number(rest % 62n)] + text
  return text
}

/** So that scanners for leaked secrets recognize a key, and a mistyped one needs no query. */
const checksumOf = (random: string) => inBase62(BigInt(Bun.hash.crc32(random)), CHECKSUM_DIGITS)

export function createKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(Math.ceil(Number(RANDOM_BITS) / 8)))
  const number = BigInt.asUintN(Number(RANDOM_BITS), BigInt(`0x${Buffer.from(bytes).toString('hex')}`))
  const random = inBase62(number, RANDOM_DIGITS)
  return PREFIX + random + checksumOf(random)
}

export const looksLikeKey = (credentials: string) => credentials.startsWith(PREFIX)

/** Whether a text has the form of a key, with the right checksum. */
export function isKey(text: string): boolean {
  const [, random, checksum] = KEY.exec(text) ?? []
  return random !== undefined && checksum === checksumOf(random)
}

/** A fast hash is enough, because 178 random bits can't be guessed. */
export const hashKey = (key: string): Uint8Array => new Bun.CryptoHasher('sha256').update(key).digest()

export const prefixOf = (key: string) => key.slice(0, SHOWN)
