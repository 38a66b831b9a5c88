import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/config'
import { OperatorError } from '../errors'

const RANDOM_BYTES = 48
const MIN_BYTES = 32

/** The configured secrets; without any, a secret generated once and kept next to the embedded database. */
export function jwtSecrets({ jwt, database }: Config): readonly string[] {
  if (jwt.secrets !== undefined) return jwt.secrets
  if (database.kind !== 'embedded') throw new Error('JWT_SECRET is not set')
  const file = join(database.dataDir, 'jwt-secret')
  if (!existsSync(file)) {
    // Written under another name first, so that a killed start leaves no truncated secret.
    const unfinished = `${file}.unfinished`
    writeFileSync(unfinished, crypto.getRandomValues(Buffer.alloc(RANDOM_BYTES)).toString('base64'), {
      mode: 0o600,
    })
    renameSync(unfinished, file)
  }
  chmodSync(file, 0o600)
  const secret = readFileSync(file, 'utf8').trim()
  if (Buffer.byteLength(secret) < MIN_BYTES)
    throw new OperatorError(
      `${file} holds less than ${MIN_BYTES} bytes: remove it to have a new one made (which signs everyone out), or set JWT_SECRET`,
      { isFinal: true },
    )
  return [secret]
}
