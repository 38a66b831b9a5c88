import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { OperatorError } from '../errors'
import { aboutFile } from '../file-problem'

const OURS = /^redlight-\d{8}T\d{6}Z\.backup$/

/** Path of a new backup in a folder; names sort by time. */
export async function newName(folder: string): Promise<string> {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
  try {
    if ((await stat(folder)).isDirectory()) return join(folder, `redlight-${time}.backup`)
  } catch (error) {
    throw aboutFile('write to', folder, error)
  }
  throw new OperatorError(`${folder} is not a folder: --keep needs one`)
}

/** Removes all but the newest of our backups in a folder, and returns their paths. */
export async function removeOld(folder: string, keep: number): Promise<string[]> {
  try {
    const ours = (await readdir(folder)).filter((name) => OURS.test(name)).sort()
    const old = ours.slice(0, Math.max(0, ours.length - keep)).map((name) => join(folder, name))
    for (const path of old) await rm(path)
    return old
  } catch (error) {
    throw aboutFile('tidy', folder, error)
  }
}
