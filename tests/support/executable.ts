import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { $ } from 'bun'

/** The one executable, made as for a release, in a folder without anything else. */
export async function buildExecutable() {
  const folder = await mkdtemp(join(tmpdir(), 'redlight-test-'))
  const path = join(folder, 'redlight')
  // Of two names for the outcome the last counts.
  await $`${process.execPath} run build --outfile ${path}`.quiet()
  return { path, remove: () => rm(folder, { recursive: true }) }
}
