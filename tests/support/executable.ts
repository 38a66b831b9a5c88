import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { $ } from 'bun'
import { cacheFolder, hashOf } from './cache'

const NAME = 'executable_'
const MADE_FROM = ['src/**/*', 'drizzle/**/*', 'patches/*', 'package.json', 'bun.lock']

async function build(): Promise<string> {
  const folder = join(cacheFolder, `${NAME}${await hashOf(MADE_FROM)}`)
  const path = join(folder, 'redlight')
  if (existsSync(path)) return path
  for (const older of existsSync(cacheFolder) ? await readdir(cacheFolder) : [])
    if (older.startsWith(NAME)) await rm(join(cacheFolder, older), { recursive: true, force: true })
  const unfinished = join(cacheFolder, `unfinished-${crypto.randomUUID()}`)
  await mkdir(unfinished, { recursive: true })
  // The last --outfile counts.
  await $`${process.execPath} run build --outfile ${join(unfinished, 'redlight')}`.quiet()
  // Two test files may have made one at the same time; either one works.
  await rename(unfinished, folder).catch(() => rm(unfinished, { recursive: true }))
  return path
}

/** The executable, built as for a release, alone in a folder; built once for all test files. It starts faster than the sources. */
export const executable = await build()

/** How soon JavaScriptCore's slow compiler begins, as in this process. */
export const compilers = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => name.startsWith('BUN_JSC_')),
)
