import { join } from 'node:path'
import { Glob } from 'bun'

/** For files that are made once and used by many test files. */
export const cacheFolder = join(import.meta.dir, '../../node_modules/.cache/redlight-tests')

/** Of all files in the project that match these patterns. */
export async function hashOf(patterns: readonly string[]): Promise<string> {
  const hash = new Bun.CryptoHasher('sha256')
  for (const pattern of patterns)
    for (const path of (await Array.fromAsync(new Glob(pattern).scan('.'))).sort())
      hash.update(path).update(await Bun.file(path).bytes())
  return hash.digest('hex').slice(0, 16)
}
