import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import postgres from 'postgres'
import type { DatabaseConfig } from '../../src/config/database'
import { embeddedSocketPath } from '../../src/embedded/embedded'
import { scratchFolder } from './scratch'
import { copyTemplateOnServer, copyTemplateTo, today } from './template'

export type TestDatabase = {
  readonly config: DatabaseConfig
  /** Direct SQL, also while a server uses the database. */
  connect(): postgres.Sql
  drop(): Promise<void>
}

/** The PostgreSQL server to test on; without one, each test has an embedded database. */
export const testDatabaseUrl = process.env.TEST_DATABASE_URL

/** A new, empty database; on a server with these options of `create database`. */
export async function createTestDatabase(options = ''): Promise<TestDatabase> {
  return testDatabaseUrl === undefined
    ? createEmbeddedDatabase()
    : createOnServer(testDatabaseUrl, (admin, name) => admin.unsafe(`create database ${name} ${options}`))
}

/** The same with schema and initial movies, as after a first start. */
export async function createFilledDatabase(): Promise<TestDatabase> {
  if (testDatabaseUrl === undefined) return createFilledEmbeddedDatabase()
  const url = testDatabaseUrl
  return createOnServer(url, (admin, name) =>
    copyTemplateOnServer(admin, { name, urlOf: (database) => urlOf(url, database) }),
  )
}

/** An embedded one with schema and initial movies, wherever the tests run. */
export async function createFilledEmbeddedDatabase(): Promise<TestDatabase> {
  const database = await createEmbeddedDatabase()
  if (database.config.kind === 'embedded') await copyTemplateTo(database.config.dataDir)
  return database
}

function urlOf(server: string, database: string): string {
  const url = new URL(server)
  url.pathname = `/${database}`
  return url.href
}

const quiet = { max: 2, onnotice: () => {} }

async function createOnServer(
  adminUrl: string,
  create: (admin: postgres.Sql, name: string) => Promise<unknown>,
): Promise<TestDatabase> {
  const name = `redlight_test_${today()}_${crypto.randomUUID().replaceAll('-', '')}`
  const url = urlOf(adminUrl, name)
  const asAdmin = async (work: (admin: postgres.Sql) => Promise<unknown>) => {
    const admin = postgres(adminUrl, quiet)
    await work(admin).finally(() => admin.end())
  }
  await asAdmin((admin) => create(admin, name))
  return {
    config: { kind: 'postgres', url, poolMax: 5, waitMs: 5000 },
    connect: () => postgres(url, quiet),
    drop: () => asAdmin((admin) => admin.unsafe(`drop database ${name} with (force)`)),
  }
}

/** The same, embedded wherever the tests run. */
export async function createEmbeddedDatabase(): Promise<TestDatabase> {
  const dataDir = await mkdtemp(join(scratchFolder, 'redlight-test-'))
  return {
    config: { kind: 'embedded', dataDir, poolMax: 4, waitMs: 5000 },
    connect: () =>
      postgres({
        ...quiet,
        path: embeddedSocketPath(dataDir),
        database: 'postgres',
        username: 'postgres',
      }),
    drop: () => rm(dataDir, { recursive: true, force: true }),
  }
}
