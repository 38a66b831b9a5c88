import { Database as LockFile, SQLiteError } from 'bun:sqlite'
import { existsSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { mkdir, rm, rmdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { OperatorError } from '../errors'

/** Another process has the folder open; its database can be reached at `embeddedSocketPath`. */
export class DataFolderInUse extends OperatorError {}

export type Folder = {
  /** Records this process's URL, for a process that finds the folder in use. */
  servesAt(url: string): void
  release(): void
  /** Removes what a failed first start has created, including the lock. */
  undo(): Promise<void>
}

/** The cluster, its write-ahead log, and some room to grow. */
const FIRST_START_BYTES = 128 * 1_048_576
export const isFirstStart = (dataDir: string) => !existsSync(join(dataDir, 'pgdata'))

/** PGlite lets two processes corrupt one folder. A SQLite lock ends with its process, however that ends. */
export async function openFolder(dataDir: string): Promise<Folder> {
  requireOwnRights()
  let isNew = false
  let lock: LockFile | undefined
  try {
    isNew = (await mkdir(dataDir, { recursive: true, mode: 0o700 })) !== undefined
    lock = lockFolder(dataDir)
    const folder = ownedFolder(dataDir, lock, isNew)
    if (isFirstStart(dataDir)) await requireRoom(dataDir, folder)
    return folder
  } catch (error) {
    if (error instanceof OperatorError) throw error
    if (error instanceof SQLiteError && error.code === 'SQLITE_BUSY')
      throw new DataFolderInUse(`${dataDir} is in use by ${ownerOf(dataDir)}. Stop it, or set DATA_DIR.`)
    lock?.close()
    if (isNew) await rm(dataDir, { recursive: true, force: true })
    throw unusable(dataDir, error)
  }
}

/** Without them it could neither open the files it creates nor read them at the next start. */
function requireOwnRights() {
  const umask = process.umask(0)
  process.umask(umask)
  if ((umask & 0o700) !== 0)
    throw new OperatorError(
      `the umask ${umask.toString(8).padStart(3, '0')} denies this user access to its own new files: set it to 077 (UMask= in systemd)`,
      { isFinal: true },
    )
}

function lockFolder(dataDir: string): LockFile {
  const lock = new LockFile(join(dataDir, 'lock'))
  try {
    lock.run('pragma journal_mode = off')
    lock.run('begin exclusive')
    return lock
  } catch (error) {
    lock.close()
    throw error
  }
}

// A garbage-collected lock would be released.
const heldLocks = new Set<LockFile>()

function ownedFolder(dataDir: string, lock: LockFile, isNew: boolean): Folder {
  const note = ownerFile(dataDir)
  const write = (owner: Owner) => writeFileSync(note, JSON.stringify(owner), { mode: 0o600 })
  const self = { pid: process.pid, host: hostname() }
  write(self)
  heldLocks.add(lock)
  const release = () => {
    rmSync(note, { force: true })
    heldLocks.delete(lock)
    lock.close()
  }
  return {
    servesAt: (url) => write({ ...self, url }),
    release,
    async undo() {
      await rm(join(dataDir, 'lock'), { force: true })
      release()
      // Fails if somebody else has put something into it.
      if (isNew) await rmdir(dataDir).catch(() => {})
    },
  }
}

async function requireRoom(dataDir: string, folder: Folder) {
  const { bavail, bsize } = statfsSync(dataDir)
  if (bavail * bsize >= FIRST_START_BYTES) return
  await folder.undo()
  throw diskFull(dataDir)
}

const megabytes = (bytes: number) => `${Math.floor(bytes / 1_048_576)} MB`

export const diskFull = (dataDir: string) =>
  new OperatorError(
    `the disk of DATA_DIR (${dataDir}) is full, or nearly: free ${megabytes(FIRST_START_BYTES)} there, or set DATA_DIR to a folder on another disk`,
    { isFinal: isFirstStart(dataDir) },
  )

/** The error for a folder in which something unexpected failed. */
export function unusable(dataDir: string, error: unknown): OperatorError {
  const code = reason(error)
  return isFull(dataDir, code)
    ? diskFull(dataDir)
    : new OperatorError(
        `The data folder ${dataDir} can't be written (${code}): let this user write to it, or set DATA_DIR to another.`,
        { isFinal: true },
      )
}

/** PostgreSQL extends its write-ahead log by 16 MB at once, also to recover. */
const START_BYTES = 32 * 1_048_576

/** PGlite and Bun's archives fail without an error code. */
export function isFull(dataDir: string, code: string): boolean {
  if (/ENOSPC|EDQUOT|SQLITE_FULL/.test(code)) return true
  const probe = join(dataDir, 'probe')
  try {
    writeFileSync(probe, Buffer.alloc(START_BYTES), { mode: 0o600 })
    return false
  } catch (error) {
    return /ENOSPC|EDQUOT/.test(reason(error))
  } finally {
    if (existsSync(probe)) rmSync(probe)
  }
}

export function reason(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code)
  return error instanceof Error ? error.message : String(error)
}

type Owner = { readonly pid: number; readonly host: string; readonly url?: string }
const ownerFile = (dataDir: string) => join(dataDir, 'owner')

/** Describes the process that has the folder, if its note names a running one. */
function ownerOf(dataDir: string): string {
  const owner = readOwner(dataDir)
  if (owner === undefined) return 'another redlight'
  const { pid, host, url } = owner
  const isHere = host === hostname()
  if (isHere && !isRunning(pid)) return 'another redlight'
  return `redlight (${[`pid ${pid}${isHere ? '' : ` on ${host}`}`, url].filter(Boolean).join(', ')})`
}

function readOwner(dataDir: string): Owner | undefined {
  try {
    const note: unknown = JSON.parse(readFileSync(ownerFile(dataDir), 'utf8'))
    if (typeof note !== 'object' || note === null) return undefined
    const { pid, host, url }: { pid?: unknown; host?: unknown; url?: unknown } = note
    if (!Number.isSafeInteger(pid) || typeof host !== 'string') return undefined
    return { pid: Number(pid), host, ...(typeof url === 'string' && { url }) }
  } catch {
    return undefined
  }
}

/** Whether a process had this folder open, and has ended without releasing it. */
export function isAbandoned(dataDir: string): boolean {
  if (!existsSync(ownerFile(dataDir))) return false
  try {
    lockFolder(dataDir).close()
    return true
  } catch {
    return false
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // Running, as another user.
    return reason(error) === 'EPERM'
  }
}
