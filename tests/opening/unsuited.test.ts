import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { requirePostgres } from '../../src/db/engine'
import { OperatorError } from '../../src/errors'
import { SECRET } from '../support/config'
import { canStartPostgres, type PostgresServer, startPostgres } from '../support/postgres'
import { runProgram } from '../support/program'

// Databases that Redlight can't use: one sentence says so, before anything is created in them.
setDefaultTimeout(240_000)

const thrownBy = (version: string): unknown => {
  try {
    requirePostgres(version)
  } catch (error) {
    return error
  }
}

const foreign: [version: string, words: string][] = [
  ['CockroachDB CCL v24.1.0 (x86_64-pc-linux-gnu, built 2024/05/15, go1.22)', 'the database is CockroachDB,'],
  ['PostgreSQL 15.2-YB-2025.1.0.0-b0 on x86_64-pc-linux-gnu', 'the database is YugabyteDB,'],
  ['PostgreSQL 8.0.2 on i686-pc-linux-gnu, Redshift 1.0.12103', 'the database is Amazon Redshift,'],
  ['PostgreSQL 14.11 (Debian 14.11-1)', 'the database is PostgreSQL 14.11, which is too old'],
]
test.each(foreign)('%s is refused for good', (version, words) => {
  const error = thrownBy(version)
  expect(error).toBeInstanceOf(OperatorError)
  expect(error instanceof OperatorError && error.isFinal).toBeTrue()
  expect(String(error)).toContain(words)
  expect(String(error)).toContain('15 or newer')
})

test.each([
  'PostgreSQL 15.20 (Debian 15.20-0+deb12u1) on x86_64-pc-linux-gnu',
  'PostgreSQL 18.6 on wasm32, compiled by emcc',
  'PostgreSQL 19beta1 on aarch64',
  'PostgreSQL 16.3 (EnterpriseDB Advanced Server 16.3.0)',
])('%s is accepted', (version) => {
  expect(thrownBy(version)).toBeUndefined()
})

describe.skipIf(!canStartPostgres)('a server', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres({ fsync: 'off' })
  })
  afterAll(async () => {
    await server?.dispose()
  })

  /** The messages of `serve` and `migrate` for a database created like this, which both leave empty. */
  async function refuse(name: string, options: string, statements: string[], sentence: RegExp) {
    await server.admin(`create database ${name} owner app ${options}`)
    for (const statement of statements) await server.admin(statement, name)
    const environment = {
      DATABASE_URL: server.url(name),
      JWT_SECRET: SECRET,
      DATABASE_WAIT: '1h',
      PORT: '0',
    }
    for (const command of ['serve', 'migrate']) {
      const { stderr, exitCode } = await runProgram(environment, [command])
      expect({ command, stderr }).toEqual({ command, stderr: expect.stringMatching(sentence) })
      expect(stderr.trimEnd().split('\n')).toHaveLength(1)
      expect(exitCode).not.toBe(0)
    }
    const left = await server.admin(
      `select nspname, relname from pg_class join pg_namespace on pg_namespace.oid = relnamespace
        where nspname !~ '^pg_|^information_schema$'
       union all select nspname, '' from pg_namespace where nspname !~ '^pg_|^(information_schema|public)$'
       union all select extname, '' from pg_extension where extname <> 'plpgsql'`,
      name,
    )
    expect([...left]).toEqual([])
  }

  test.each(['SQL_ASCII', 'LATIN1'])('with the encoding %s', async (encoding) => {
    const name = `of_${encoding.toLowerCase()}`
    await refuse(
      name,
      `encoding '${encoding}' locale 'C' template template0`,
      [],
      new RegExp(
        `: the encoding of the database ${name} is ${encoding}; Redlight needs UTF8: create another with CREATE DATABASE name OWNER app `,
      ),
    )
  })

  test('that is created again as the sentence says', async () => {
    await server.admin(`create database made owner app template template0 encoding 'UTF8' locale 'C'`)
    const environment = { DATABASE_URL: server.url('made'), JWT_SECRET: SECRET }
    expect(await runProgram(environment, ['migrate'])).toMatchObject({ exitCode: 0 })
  })

  test('whose user may create schemas, but no tables in public', async () => {
    await refuse(
      'closed',
      '',
      ['alter schema public owner to admin'],
      /the user app can't create tables in the database closed: run GRANT CREATE ON DATABASE closed TO app and GRANT/,
    )
  })

  test('that is YugabyteDB, by its version', async () => {
    await refuse(
      'yugabyte',
      '',
      [versionIs('PostgreSQL 15.2-YB-2025.1.0.0-b0 on x86_64')],
      /the database is YugabyteDB/,
    )
  })

  test('that is CockroachDB, which refuses our settings too', async () => {
    await refuse(
      'cockroach',
      '',
      [
        versionIs('CockroachDB CCL v24.1.0 (x86_64-pc-linux-gnu)'),
        `set allow_system_table_mods = on;
       create or replace function pg_catalog.set_config(text, text, boolean) returns text language plpgsql volatile
       as $$begin raise undefined_object using message = 'unrecognized configuration parameter'; end$$`,
      ],
      /the database is CockroachDB/,
    )
  })

  test('that fails during the first migrations keeps none of them', async () => {
    // An unforeseen failure: one of our functions exists already.
    await server.admin('create database halfway owner app')
    await server.admin(
      'create function public.search_words(text) returns int language sql as $$select 1$$',
      'halfway',
    )
    const environment = { DATABASE_URL: server.url('halfway'), JWT_SECRET: SECRET }
    const { exitCode } = await runProgram(environment, ['migrate'])
    expect(exitCode).not.toBe(0)
    const left = await server.admin(
      "select relname from pg_class where relnamespace = 'public'::regnamespace",
      'halfway',
    )
    expect([...left]).toEqual([])
  })
})

const versionIs = (version: string) =>
  `set allow_system_table_mods = on;
   create or replace function pg_catalog.version() returns text language sql stable as $$select '${version}'$$`
