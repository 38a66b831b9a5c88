import { availableParallelism } from 'node:os'
import { Failure } from '../errors'
import { createGate } from '../gate'
import { textProblem } from '../rules/fields'
import { commonPasswords } from './common-passwords' with { type: 'macro' }

// OWASP's minimum for argon2id (Password Storage Cheat Sheet): 19 MiB, two passes.
const ARGON2ID = { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 } as const
// Bun hashes on a thread pool as large as the number of cores, shared with files, DNS and WebCrypto: one
// thread stays free for them.
const MAX_HASHES_AT_ONCE = Math.max(1, availableParallelism() - 1)
const MAX_WAITING = 64
const MAX_WAIT_MS = 4000
const RETRY_AFTER_SECONDS = '2'

// As costly as a real hash, and matches no password.
const DUMMY_HASH = `$argon2id$v=19$m=${ARGON2ID.memoryCost},t=${ARGON2ID.timeCost},p=1$${randomBase64(32)}$${randomBase64(32)}`

function randomBase64(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes)))
    .toString('base64')
    .replaceAll('=', '')
}

/** Normalized before hashing, since keyboards encode é differently (NIST SP 800-63B section 3.1.1.2). */
export const sameCharacters = (password: string) => password.normalize('NFC')

export const MAX_PASSWORD = 128

/** Counts characters after normalization: each may come from up to four, of two code units each. */
export function passwordProblem(value: unknown, min: number): string | undefined {
  const isComposable = typeof value === 'string' && value.length <= 8 * MAX_PASSWORD
  return textProblem(isComposable ? sameCharacters(value) : value, min, MAX_PASSWORD)
}

/** For sign-ins: an earlier version hashed the password as sent, so it may be longer once normalized. */
export const givenPasswordProblem = (value: unknown): string | undefined =>
  textProblem(value, 1, MAX_PASSWORD) === undefined ? undefined : passwordProblem(value, 1)

let common: Set<string> | undefined

/** Whether a password is among the 10,000 commonest, in any case. */
export function isCommonPassword(password: string): boolean {
  common ??= new Set(commonPasswords(8).split('\n'))
  return common.has(sameCharacters(password).toLowerCase())
}

export type Passwords = ReturnType<typeof createPasswords>

/** Hashes and verifies with limited concurrency; refuses with 503 when too many wait. */
export function createPasswords() {
  const gate = createGate({
    concurrency: MAX_HASHES_AT_ONCE,
    maxWaiting: MAX_WAITING,
    maxWaitMs: MAX_WAIT_MS,
    refusal: () => new Failure('tooManySignIns', { headers: { 'Retry-After': RETRY_AFTER_SECONDS } }),
  })
  const hash = (password: string) => gate.run(() => Bun.password.hash(sameCharacters(password), ARGON2ID))
  return {
    hash,
    /** Takes as long for an unknown user (no hash) as for a wrong password. */
    verify: (password: string, hashed: string | undefined): Promise<boolean> =>
      gate.run(async () => {
        // Earlier versions hashed the password as sent.
        for (const form of new Set([sameCharacters(password), password]))
          if (await Bun.password.verify(form, hashed ?? DUMMY_HASH)) return hashed !== undefined
        return false
      }),
    load: () => ({ busy: gate.busy, waiting: gate.waiting }),
    limits: { maxHashesAtOnce: MAX_HASHES_AT_ONCE, maxWaiting: MAX_WAITING },
  }
}
