import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Glob } from 'bun'
import type postgres from 'postgres'
import type { DatabaseConfig } from '../../src/config/database'
import { migrate } from '../../src/migrations/migrate'
import { seedMovies } from '../../src/movies/seed-store'
import { withDb } from './backup'

// A database with the schema and the initial movies, made once for all test files: a copy costs a tenth of making one.

const CACHE = join(import.meta.dir, '../../node_modules/.cache/redlight-tests')
const MADE_FROM = [
  'drizzle/**/*',
  'src/{db,migrations,embedded}/**/*',
  'src/movies/{seed-store,model,initial-movies}.*',
]
const LOCK = 7_303_015

async function hashOfSources(): Promise<string> {
  const hash = new Bun.CryptoHasher('sha256')
  for (const pattern of MADE_FROM)
    for (const path of (await Array.fromAsync(new Glob(pattern).scan('.'))).sort())
      hash.update(path).update(await Bun.file(path).bytes())
  return hash.digest('hex').slice(0, 16)
}
let hash: Promise<string> | undefined
const templateName = async () => {
  hash ??= hashOfSources()
  return `redlight_template_${await hash}`
}

const fill = (config: DatabaseConfig) =>
  withDb(config, async (db) => {
    await migrate(db)
    await seedMovies(db)
  })

/** Copies the template into a data folder that is empty. */
export async function copyTemplateTo(dataDir: string) {
  const name = await templateName()
  const template = join(CACHE, name)
  if (!existsSync(template)) await makeFolder(name)
  await Bun.$`cp -R ${join(template, 'pgdata')} ${dataDir}`.quiet()
}

async function makeFolder(name: string) {
  await mkdir(CACHE, { recursive: true })
  for (const older of await readdir(CACHE))
    if (older.startsWith('redlight_template_') && older !== name)
      await rm(join(CACHE, older), { recursive: true, force: true })
  const unfinished = await mkdtemp(join(CACHE, 'unfinished-'))
  await fill({ kind: 'embedded', dataDir: unfinished, poolMax: 1, waitMs: 5000 })
  // Two test files may have made one at the same time: either will do.
  await rename(unfinished, join(CACHE, name)).catch(() => rm(unfinished, { recursive: true }))
}

/** The name of the template on a server, which `create database … template` takes. */
export async function templateOnServer(admin: postgres.Sql, urlOf: (database: string) => string) {
  const name = await templateName()
  const isThere = async (sql: postgres.ISql) =>
    (await sql`select from pg_database where datname = ${name}`).length > 0
  if (await isThere(admin)) return name
  const session = await admin.reserve()
  await session`select pg_advisory_lock(${LOCK})`
  try {
    if (await isThere(session)) return name
    const unfinished = `${name}_unfinished`
    await session.unsafe(`drop database if exists ${unfinished} with (force)`)
    await session.unsafe(`create database ${unfinished}`)
    await fill({ kind: 'postgres', url: urlOf(unfinished), poolMax: 1, waitMs: 5000 })
    await session.unsafe(`alter database ${unfinished} rename to ${name}`)
    return name
  } finally {
    await session`select pg_advisory_unlock(${LOCK})`
    session.release()
  }
}
