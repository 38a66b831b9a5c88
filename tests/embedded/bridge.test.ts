import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { PGlite } from '@electric-sql/pglite'
import type postgres from 'postgres'
import { createBridge } from '../../src/embedded/bridge'
import { type EmbeddedDatabase, embeddedSocketPath, openEmbedded } from '../../src/embedded/embedded'
import { frame } from '../../src/embedded/wire'
import { clientOf, endClients, failureOf, newFolder, removeFolders } from '../support/embedded'

const never = new Promise<never>(() => {})
const mebibyte = 1024 * 1024

afterEach(endClients)
afterAll(removeFolders)

describe('connections', () => {
  let dataDir: string
  let database: EmbeddedDatabase
  beforeAll(async () => {
    dataDir = await newFolder()
    database = await openEmbedded(dataDir)
  })
  afterAll(() => database.close())

  test('each get their own rows, inside and outside transactions', async () => {
    const sql = clientOf(database, 8)
    await sql`create table accounts (id int primary key, balance int not null)`
    await sql`insert into accounts select generate_series(0, 9), 100`
    await sql`create table transfers (id int primary key)`
    const transfer = (i: number) =>
      sql.begin(async (tx) => {
        const [from] =
          await tx`update accounts set balance = balance - ${i} where id = ${i % 10} returning id`
        expect(from?.id).toBe(i % 10)
        await tx`insert into transfers values (${i})`
        await tx`update accounts set balance = balance + ${i} where id = ${(i + 3) % 10}`
        if (i % 3 === 0) throw new Error('changed my mind')
        if (i % 3 === 1) await tx`select ${i} / 0`
      })
    const operations = Array.from({ length: 400 }, async (_, i) => {
      if (i % 2 === 0) return await transfer(i).catch((error) => error.message)
      const [row] =
        await sql`select ${i}::int as echo, ${'x'.repeat(i)} as text, (select sum(balance)::int from accounts) as total`
      expect(row).toEqual({ echo: i, text: 'x'.repeat(i), total: 1000 })
    })
    const outcomes = await Promise.all(operations)
    expect(outcomes.filter((outcome) => outcome === 'changed my mind')).toHaveLength(67)
    expect(outcomes.filter((outcome) => outcome === 'division by zero')).toHaveLength(66)
    const kept = await sql`select id from transfers order by id`
    expect(kept.map(({ id }) => id)).toEqual(Array.from({ length: 67 }, (_, i) => 2 + 6 * i))
  })

  test('roll back when destroyed in mid-transaction, and let the next one in', async () => {
    const sql = clientOf(database)
    await sql`create table abandoned (id int)`
    const sockets: Duplex[] = []
    const socket = () => {
      const opened = database.socket()
      sockets.push(opened)
      return opened
    }
    const doomed = clientOf({ socket }).begin(async (tx) => {
      await tx`insert into abandoned values (1)`
      for (const opened of sockets) opened.destroy()
      await never
    })
    expect(await failureOf(doomed)).toHaveProperty('code', 'CONNECTION_CLOSED')
    expect(await sql`select * from abandoned`).toBeEmpty()
  })

  test('roll back a statement that was not yet synced', async () => {
    const sql = clientOf(database)
    await sql`create table unsynced (id int)`
    const raw = database.socket()
    const startUp = Buffer.from('\0\0\0\0\0\x03\0\0user\0postgres\0\0')
    startUp.writeUInt32BE(startUp.length)
    raw.write(startUp)
    const statement = frame('P', '\0insert into unsynced values (1)\0\0\0')
    raw.write(Buffer.concat([statement, frame('B', '\0'.repeat(8)), frame('E', '\0'.repeat(5)), frame('H')]))
    let answer = ''
    for await (const chunk of raw) {
      answer += chunk.toString('latin1')
      if (answer.includes('INSERT 0 1')) break
    }
    raw.destroy()
    expect(answer).toContain('INSERT 0 1')
    expect(await sql`select * from unsynced`).toBeEmpty()
  })

  test('receive the notifications of others', async () => {
    const listener = clientOf(database)
    const heard: string[] = []
    const { promise: all, resolve } = Promise.withResolvers<void>()
    await listener.listen('news', (payload) => {
      heard.push(payload)
      if (payload === 'last') resolve()
    })
    const sql = clientOf(database, 3)
    await sql.notify('news', 'first')
    await sql.begin((tx) => tx`select pg_notify('news', 'in a transaction')`)
    await sql
      .begin(async (tx) => {
        await tx`select pg_notify('news', 'never')`
        throw new Error('rolled back')
      })
      .catch(() => {})
    await clientOf({ path: embeddedSocketPath(dataDir) }).notify('news', 'last')
    await all
    expect(heard).toEqual(['first', 'in a transaction', 'last'])
  })

  test.each(['in the process', 'through the Unix socket'])('transfer megabytes %s', async (way) => {
    const sql = clientOf(way === 'in the process' ? database : { path: embeddedSocketPath(dataDir) })
    const text = Buffer.alloc(2 * mebibyte, 'Überlänge ').toString()
    const [row] = await sql`select ${text}::text as text, md5(${text}) as md5`
    expect(row?.text === text).toBe(true)
    expect(row?.md5).toBe(new Bun.CryptoHasher('md5').update(text).digest('hex'))
  })

  test('leave no prepared statements behind', async () => {
    const count = async (sql: postgres.Sql) => (await sql`select name from pg_prepared_statements`).length
    const sql = clientOf(database)
    const before = await count(sql)
    const passing = clientOf(database, 3)
    await Promise.all(Array.from({ length: 20 }, (_, i) => passing`select ${i}::int`))
    expect(await count(sql)).toBeGreaterThan(before)
    await passing.end()
    expect(await count(sql)).toBe(before)
  })

  test('are refused COPY FROM STDIN, which would end the database', async () => {
    const sql = clientOf(database)
    await sql`create table copied (id int)`
    expect((await failureOf(sql`copy copied from stdin`.writable())).message).toStartWith('COPY FROM STDIN')
    expect((await failureOf(sql.unsafe(' COPY copied FROM stdin'))).message).toStartWith('COPY FROM STDIN')
    expect([...(await sql`select 1 as one`)]).toEqual([{ one: 1 }])
  })

  test('through the Unix socket are only for the owner, unencrypted, and can not cancel', async () => {
    const path = embeddedSocketPath(dataDir)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const client = connect(path)
    client.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]))
    const [answer] = await once(client, 'data')
    expect(answer.toString()).toBe('N')
    client.write(Buffer.from([0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 0, 0, 0, 0, 0]))
    await once(client, 'close')
  })
})

describe('a bridge', () => {
  test('ends an idle transaction, and fails if PGlite does', async () => {
    const dataDir = await newFolder()
    await openEmbedded(dataDir).then((database) => database.close())
    const pglite = await PGlite.create(join(dataDir, 'pgdata'))
    const { socket } = createBridge(pglite, 50)
    const sql = clientOf({ socket })
    const waitsForItself = clientOf({ socket }).begin(async (tx) => {
      await tx`create table t ()`
      await sql`select 1`
      await never
    })
    expect(await failureOf(waitsForItself)).toHaveProperty('code', 'CONNECTION_CLOSED')
    expect([...(await sql`select to_regclass('t') as t`)]).toEqual([{ t: null }])
    await pglite.close()
    for (let i = 0; i < 3; i++)
      expect(await failureOf(sql`select 1`)).toHaveProperty('code', 'CONNECTION_CLOSED')
  })
})
