import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { existsSync, statSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { embeddedSocketPath, openEmbedded } from '../../src/embedded/embedded'
import { DataFolderInUse } from '../../src/embedded/folder'
import { clientOf, endClients, failureOf, newFolder, removeFolders } from '../support/embedded'

afterEach(endClients)
afterAll(removeFolders)

describe('a data folder', () => {
  const embedded = JSON.stringify(join(import.meta.dir, '../../src/embedded/embedded'))
  const spawn = (dataDir: string, then: string) => {
    const code = `
      import postgres from 'postgres'
      const { openEmbedded } = await import(${embedded})
      const log = { debug() {}, info() {}, warn() {}, error() {} }
      const database = await openEmbedded(${JSON.stringify(dataDir)})
      ${then}`
    return Bun.spawn([process.execPath, '-e', code], { cwd: import.meta.dir, stdout: 'pipe', stderr: 'pipe' })
  }

  test('can be opened by one process, and only once', async () => {
    const dataDir = await newFolder()
    const database = await openEmbedded(dataDir)
    const inUse = `${dataDir} is in use by redlight (pid ${process.pid}). Stop it, or set DATA_DIR.`
    expect(await failureOf(openEmbedded(dataDir))).toEqual(new DataFolderInUse(inUse))
    const second = spawn(dataDir, '')
    expect(await new Response(second.stderr).text()).toContain(inUse)
    expect(await second.exited).toBe(1)
    await database.close()
    await openEmbedded(dataDir).then((reopened) => reopened.close())
  })

  test('keeps every acknowledged row when the process is killed, and replaces its socket', async () => {
    const dataDir = await newFolder()
    const child = spawn(
      dataDir,
      `const sql = postgres({ socket: database.socket, max: 2 })
       await sql\`create table rows (id int primary key)\`
       for (let id = 1; ; id++) {
         await sql\`insert into rows values (\${id})\`
         process.stdout.write(id + '\\n')
       }`,
    )
    let acknowledged = 0
    for await (const chunk of child.stdout) {
      acknowledged = Number(Buffer.from(chunk).toString().trimEnd().split('\n').at(-1))
      if (acknowledged > 300) child.kill('SIGKILL')
    }
    await child.exited
    expect(child.signalCode).toBe('SIGKILL')
    expect(existsSync(embeddedSocketPath(dataDir))).toBe(true)
    const database = await openEmbedded(dataDir)
    const sql = clientOf({ path: embeddedSocketPath(dataDir) })
    const [found] = await sql`select count(*)::int as count, max(id) as last from rows`
    expect(acknowledged).toBeGreaterThan(300)
    expect(found?.count).toBe(found?.last)
    expect(found?.count).toBeGreaterThanOrEqual(acknowledged)
    await database.close()
  })

  test('recovers from a first start that was killed while unpacking', async () => {
    const dataDir = await newFolder()
    await mkdir(join(dataDir, 'pgdata.unfinished', 'base'), { recursive: true })
    await Bun.write(join(dataDir, 'pgdata.unfinished', 'PG_VERSION'), 'half of it')
    const database = await openEmbedded(dataDir)
    expect([...(await clientOf(database)`select unaccent('Amélie') as plain`)]).toEqual([{ plain: 'Amelie' }])
    await database.close()
    expect((await readdir(dataDir)).sort()).toEqual(['lock', 'pgdata'])
    expect(await Bun.file(join(dataDir, 'pgdata', 'PG_VERSION')).text()).toBe('18\n')
  })

  test('is only for its owner, and the same when opened again', async () => {
    const dataDir = join(await newFolder(), 'a', 'b')
    const first = await openEmbedded(dataDir)
    expect(statSync(dataDir).mode & 0o777).toBe(0o700)
    await clientOf(first)`create table kept as select 1 as one`
    await first.close()
    expect(existsSync(embeddedSocketPath(dataDir))).toBe(false)
    const second = await openEmbedded(dataDir)
    expect([...(await clientOf(second)`select * from kept`)]).toEqual([{ one: 1 }])
    await second.close()
  })

  test('that cannot be used is reported in one line', async () => {
    const folder = await newFolder()
    await Bun.write(join(folder, 'file'), '')
    expect((await failureOf(openEmbedded(join(folder, 'file', 'data')))).message).toMatch(
      /^The data folder \S+ can't be written \(ENOTDIR\): .+$/,
    )
    const long = join(folder, 'x'.repeat(100))
    expect((await failureOf(openEmbedded(long))).message).toMatch(
      /^The path \S+ is too long for a socket .+$/,
    )
    expect(existsSync(long)).toBe(false)
    await mkdir(join(folder, 'broken', 'pgdata'), { recursive: true })
    await Bun.write(join(folder, 'broken', 'pgdata', 'PG_VERSION'), '18\n')
    expect((await failureOf(openEmbedded(join(folder, 'broken')))).message).toMatch(
      /^The embedded database in \S+ doesn't start .+$/,
    )
  })
})
