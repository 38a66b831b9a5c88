// RFC 4648 base32, without padding: 16 bytes make 26 characters that survive being read aloud.
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const RANDOM_BYTES = 16

/** A token for a mail: the text for its reader, and the hash that alone is stored. */
export function createSecret(): { text: string; hash: Uint8Array } {
  const text = base32(crypto.getRandomValues(new Uint8Array(RANDOM_BYTES)))
  return { text, hash: hashSecret(text) }
}

/** SHA-256; plain, because 128 random bits can't be guessed from it. */
export const hashSecret = (text: string): Uint8Array => new Bun.CryptoHasher('sha256').update(text).digest()

function base32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let buffer = 0
  for (const byte of bytes) {
    buffer = (buffer << 8) | byte
    bits += 8
    for (; bits >= 5; bits -= 5) text += ALPHABET.charAt((buffer >>> (bits - 5)) & 31)
    buffer &= (1 << bits) - 1
  }
  return bits > 0 ? text + ALPHABET.charAt((buffer << (5 - bits)) & 31) : text
}
