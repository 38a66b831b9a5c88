import { existsSync } from 'node:fs'
import { stat, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseConfig } from '../config/database'
import { type Finding, fail, ok, warn } from './finding'

const MEGABYTE = 1_048_576
const WARN_BYTES = 500 * MEGABYTE
const FAIL_BYTES = 50 * MEGABYTE
const OTHERS = 0o007
const GROUP = 0o070

/**
 * Checks the disk where data grows; without an embedded database, the one for temporary files, which checking
 * a backup uses.
 */
export async function checkDisk(database: DatabaseConfig): Promise<Finding[]> {
  const wanted = database.kind === 'embedded' ? database.dataDir : tmpdir()
  const folder = existsSync(wanted) ? wanted : '.'
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  const what = `${Math.floor(free / MEGABYTE)} MB free in ${folder}`
  if (free >= WARN_BYTES) return [ok('disk', what)]
  return [
    (free < FAIL_BYTES ? fail : warn)('disk', what, 'free some space, or move the folder to a larger disk'),
  ]
}

/** Whether others can read secrets. */
export async function checkModes(
  database: DatabaseConfig,
  secretFiles: readonly string[],
): Promise<Finding[]> {
  const dataDir = database.kind === 'embedded' ? database.dataDir : undefined
  const own = dataDir === undefined ? [] : [dataDir, join(dataDir, 'jwt-secret')]
  const findings = [
    ...(await Promise.all(own.map((path) => judge(path, OTHERS | GROUP)))),
    // An engine or systemd may deliberately let a group read them.
    ...(await Promise.all(secretFiles.map((path) => judge(path, OTHERS)))),
  ].filter((finding) => finding !== undefined)
  return findings.length > 0 ? findings : [ok('files', 'secret files are private')]
}

async function judge(path: string, mask: number): Promise<Finding | undefined> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined || (found.mode & mask) === 0) return undefined
  const mode = (found.mode & 0o777).toString(8)
  const right = found.isDirectory() ? '700' : '600'
  return warn('files', `${path} can be read by others (mode ${mode})`, `chmod ${right} ${path}`)
}
