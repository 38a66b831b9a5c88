import { existsSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'

const IN_MEMORY = '/dev/shm'
const ROOM_BYTES = 2 * 2 ** 30

function hasRoom(): boolean {
  if (!existsSync(IN_MEMORY)) return false
  const { bavail, bsize } = statfsSync(IN_MEMORY)
  return bavail * bsize >= ROOM_BYTES
}

/** For the databases of tests: in memory where there is room, as their hundreds of files take ten times as long to copy on a disk. */
export const scratchFolder = hasRoom() ? IN_MEMORY : tmpdir()
