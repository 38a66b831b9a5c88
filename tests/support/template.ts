import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type postgres from 'postgres'
import { seedMovies } from '../../src/catalogue/seed-store'
import type { DatabaseConfig } from '../../src/config/database'
import { migrate } from '../../src/migrations/migrate'
import { withDb } from './backup'
import { cacheFolder, hashOf } from './cache'

// A database with schema and initial movies, made once for all test files; copying costs a tenth of making one.

const MADE_FROM = [
  'drizzle/**/*',
  'src/{db,migrations,embedded}/**/*',
  'src/movies/{seed-store,model,initial-movies}.*',
]
const LOCK = 7_303_015

let hash: Promise<string> | undefined
const hashOfTemplate = () => {
  hash ??= hashOf(MADE_FROM)
  return hash
}
/** In names on a server, to recognize leftovers of earlier runs. */
export const today = () => new Date().toISOString().slice(0, 10).replaceAll('-', '')

const fill = (config: DatabaseConfig) =>
  withDb(config, async (db) => {
    await migrate(db)
    await seedMovies(db)
  })

/** Copies the template into an empty data folder. */
export async function copyTemplateTo(dataDir: string) {
  const name = `redlight_template_${await hashOfTemplate()}`
  const template = join(cacheFolder, name)
  if (!existsSync(template)) await makeFolder(name)
  await Bun.$`cp -R ${join(template, 'pgdata')} ${dataDir}`.quiet()
}

async function makeFolder(name: string) {
  await mkdir(cacheFolder, { recursive: true })
  for (const older of await readdir(cacheFolder))
    if (older.startsWith('redlight_template_') && older !== name)
      await rm(join(cacheFolder, older), { recursive: true, force: true })
  const unfinished = await mkdtemp(join(cacheFolder, 'unfinished-'))
  await fill({ kind: 'embedded', dataDir: unfinished, poolMax: 1, waitMs: 5000 })
  // Two test files may have made one at the same time; either one works.
  await rename(unfinished, join(cacheFolder, name)).catch(() => rm(unfinished, { recursive: true }))
}

/**
 * Makes a database on a server from the template there, which is made first where there is none. Whoever makes one also
 * drops what runs before today left on the server, so that a shared one doesn't fill up; never while others copy.
 */
export async function copyTemplateOnServer(
  admin: postgres.Sql,
  { name, urlOf }: { name: string; urlOf: (database: string) => string },
) {
  const session = await admin.reserve()
  try {
    while (!(await copied(session, name))) await makeOnServer(session, urlOf)
  } finally {
    session.release()
  }
}

async function copied(session: postgres.ISql, name: string): Promise<boolean> {
  await session`select pg_advisory_lock_shared(${LOCK})`
  try {
    const template = await templateOn(session)
    if (template !== undefined) await session.unsafe(`create database ${name} template ${template}`)
    return template !== undefined
  } finally {
    await session`select pg_advisory_unlock_shared(${LOCK})`
  }
}

async function makeOnServer(session: postgres.ISql, urlOf: (database: string) => string) {
  await session`select pg_advisory_lock(${LOCK})`
  try {
    if ((await templateOn(session)) !== undefined) return
    await dropOld(session)
    const name = `redlight_template_${today()}_${await hashOfTemplate()}`
    const unfinished = `${name}_unfinished`
    await session.unsafe(`drop database if exists ${unfinished} with (force)`)
    await session.unsafe(`create database ${unfinished}`)
    await fill({ kind: 'postgres', url: urlOf(unfinished), poolMax: 1, waitMs: 5000 })
    await session.unsafe(`alter database ${unfinished} rename to ${name}`)
  } finally {
    await session`select pg_advisory_unlock(${LOCK})`
  }
}

async function templateOn(session: postgres.ISql): Promise<string | undefined> {
  const pattern = `^redlight_template_\\d{8}_${await hashOfTemplate()}$`
  const [found] = await session`select datname from pg_database where datname ~ ${pattern} order by 1 desc`
  return found?.datname
}

/** One still in use is left for the next time. */
async function dropOld(session: postgres.ISql) {
  const left = await session`select datname from pg_database
    where datname ~ '^redlight_(template|test)_\\d{8}_' and substring(datname from '\\d{8}') < ${today()}`
  for (const { datname } of left) await session.unsafe(`drop database if exists ${datname}`).catch(() => {})
}
