import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config'

const RANDOM_BYTES = 48

/** The secrets of the configuration; without any, the one that is made once and kept beside the embedded database. */
export function jwtSecrets({ jwt, database }: Config): readonly string[] {
  if (jwt.secrets !== undefined) return jwt.secrets
  if (database.kind !== 'embedded') throw new Error('JWT_SECRET is not set')
  const file = join(database.dataDir, 'jwt-secret')
  try {
    writeFileSync(file, crypto.getRandomValues(Buffer.alloc(RANDOM_BYTES)).toString('base64'), {
      flag: 'wx',
      mode: 0o600,
    })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  chmodSync(file, 0o600)
  return [readFileSync(file, 'utf8').trim()]
}
