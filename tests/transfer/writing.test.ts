import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { findUniqueBy } from '../../src/migrations/unique-by'
import { openDatabaseBesideServer } from '../../src/opening/open'
import { type Catalogue, openCatalogue } from '../../src/transfer/catalogue-store'
import { importRows } from '../../src/transfer/import'
import { openSource } from '../../src/transfer/open'
import { createReport } from '../../src/transfer/report'
import { quietLog } from '../support/backup'
import { databaseVariables, redlight } from '../support/command-line'
import { createTestDatabase, testDatabaseUrl } from '../support/database'
import { newFolder, removeFolders } from '../support/embedded'
import { startProgram } from '../support/program'
import { lines, transferService } from '../support/transfer'
import { until } from '../support/until'

const { server, env, write, run, importFile, movies, clear } = transferService()
beforeEach(async () => {
  await clear()
})
afterAll(removeFolders)

const BATCH = testDatabaseUrl === undefined ? 200 : 1000
const all = Array.from({ length: 2 * BATCH + 100 }, (_, n) => ({ title: `Movie ${n}`, year: 2000 }))
const count = async () => Number((await server().sql`select count(*) from movies`)[0]?.count)

/** An import whose standard input goes on to wait for more, once it has written a batch. */
async function startImport() {
  const child = Bun.spawn([process.execPath, 'src/main.ts', 'import', '-', '--json'], {
    env: { PATH: process.env.PATH ?? '', ...env() },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  child.stdin.write(lines(all.slice(0, BATCH + 50)))
  child.stdin.flush()
  await until(async () => (await count()) === BATCH)
  return child
}

describe('an import that ends midway', () => {
  test('by a signal has written whole batches, and the same again adds the rest', async () => {
    const child = await startImport()
    child.kill('SIGINT')
    const [out, error] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ])
    expect(await child.exited).toBe(130)
    expect(JSON.parse(out)).toMatchObject({ rows: BATCH, added: BATCH, error: 'interrupted by SIGINT' })
    const written = BATCH.toLocaleString('en')
    expect(error).toBe(
      `redlight import: interrupted by SIGINT; ${written} movies are written, and the same command again adds the rest\n`,
    )
    const again = await importFile(all)
    expect(again.report).toMatchObject({ rows: all.length, added: BATCH + 100, skipped: BATCH })
    expect((await movies()).map(({ title }) => title)).toEqual(all.map(({ title }) => title))
    expect((await importFile(all)).report).toMatchObject({ added: 0, skipped: all.length })
  })

  test('by kill -9 ends at the same catalogue when it is run again', async () => {
    const child = await startImport()
    child.kill('SIGKILL')
    await child.exited
    expect(await count()).toBe(BATCH)
    expect((await importFile(all)).report).toMatchObject({ added: BATCH + 100, skipped: BATCH })
    expect(await movies()).toEqual(all.map((movie) => ({ ...movie, genres: [], version: 1 })))
  })

  test('by an error has counted and written what came before it', async () => {
    const { code, report, error } = await importFile(
      `[${all.slice(0, 3).map((movie) => JSON.stringify(movie))}, {"title":`,
    )
    expect(code).toBe(1)
    expect(report).toMatchObject({ added: 3, error: expect.any(String) })
    expect(error).toEndWith(
      '; 3 movies are written, and the same command again adds the rest, once that is solved\n',
    )
    expect(await count()).toBe(3)
  })
})

describe('the trail', () => {
  const sql = () => server().sql
  const events = async () => {
    const rows =
      await sql()`select actor_id, subject_kind as kind, detail from audit_events where action = 'import'`
    return rows.map((row) => ({ ...row }))
  }

  test('has one event for an import that wrote movies, with the counts of all its rows', async () => {
    await sql()`truncate audit_events`
    const path = await write(all)
    await run(['import', path, '--dry-run'])
    expect(await events()).toEqual([])
    await run(['import', await write([...all, ...all]), '--owner', '1'])
    await run(['import', path])
    expect(await events()).toEqual([
      {
        actor_id: null,
        kind: 'catalogue',
        detail: {
          ...{ file: expect.stringMatching(/-file$/), format: 'ndjson', owner: '1', by: expect.any(String) },
          ...{ rows: 2 * all.length, added: all.length, updated: 0, unchanged: 0 },
          ...{ skipped: all.length, rejected: 0, not_movies: 0 },
        },
      },
    ])
  })
})

describe('rows that somebody else writes meanwhile', () => {
  /** Imports rows in one batch; `meanwhile` runs once what is there has been looked up. */
  async function importBeside(
    rows: readonly object[],
    meanwhile: () => Promise<unknown>,
    onDuplicate = 'skip',
  ) {
    const database = await openDatabaseBesideServer(server().database.config, quietLog)
    const { db } = database
    const real = openCatalogue(db)
    let isFirst = true
    const catalogue: Catalogue = {
      ...real,
      async find(candidates) {
        const found = await real.find(candidates)
        if (isFirst) await meanwhile()
        isFirst = false
        return found
      },
    }
    const source = await openSource(await write(rows), new Blob().stream(), {
      map: new Map(),
      articles: 'keep',
      extraGenres: 'reject',
    })
    const report = createReport()
    const mode = onDuplicate === 'update' ? 'update' : 'skip'
    await importRows({
      source,
      catalogue,
      policy: { onDuplicate: mode, ownerId: 1, changesAll: true, uniqueBy: 'title' },
      findUniqueBy: async () => (await findUniqueBy(db)) ?? 'title',
      required: [],
      batchRows: BATCH,
      report,
      trail: async () => {},
      rejectFile: undefined,
      stopped: new Promise(() => {}),
      onProgress: () => {},
    })
    await source.close()
    await database.close()
    return report.counts
  }
  const insert = (title: string, year: number) =>
    server().sql`insert into movies (title, year, genres) values (${title}, ${year}, '{}')`.execute()

  test('are sorted out one by one, and the others are added', async () => {
    const counts = await importBeside([...all.slice(0, 3), { title: 'Other', year: 2000 }], async () => {
      await insert('MOVIE 1', 2000)
      await insert('other', 1999)
    })
    expect(counts).toMatchObject({ rows: 4, added: 2, skipped: 1, rejected: 1 })
    expect((await movies()).map(({ title }) => title).sort()).toEqual([
      'MOVIE 1',
      'Movie 0',
      'Movie 2',
      'other',
    ])
  })

  test('are updated as they are then', async () => {
    await insert('Jaws', 1975)
    const rows = [
      { title: 'Jaws', year: 1975, runtime: '124 mins' },
      { title: 'New', year: 2000 },
    ]
    const counts = await importBeside(
      rows,
      () => server().sql`update movies set director = 'Spielberg', version = version + 1`.execute(),
      'update',
    )
    expect(counts).toMatchObject({ rows: 2, updated: 1, added: 1 })
    expect((await movies())[0]).toMatchObject({ runtime: 124, director: 'Spielberg', version: 3 })
  })

  test("and rows that an operator's own constraint forbids are rejected alone", async () => {
    const { sql } = server()
    await sql`alter table movies add constraint movies_own_check check (title <> 'Movie 1')`
    try {
      const { report } = await importFile(all.slice(0, 3))
      expect(report).toMatchObject({ added: 2, rejected: 1, reasons: { 'row: type': 1 } })
    } finally {
      await sql`alter table movies drop constraint movies_own_check`
    }
  })
})

describe('a fresh database', () => {
  test('is filled by an import alone, and the initial movies come by seed', async () => {
    const dataDir = await newFolder()
    const settings = { DATA_DIR: `${dataDir}/data`, JWT_SECRET: env().JWT_SECRET ?? '' }
    const exported = async () => (await redlight(['export'], settings)).out.split('\n').length - 1
    async function serveOnce() {
      const program = await startProgram({ ...settings, PORT: '0' })
      await program.stop()
    }
    // Also one that adds nothing, and one whose movies are removed again.
    const files = [[{ title: 'Too early', year: 1 }], all.slice(0, 1), all.slice(1, 4)]
    for (const [index, rows] of files.entries()) {
      const added = index === 0 ? 0 : rows.length
      const imported = await redlight(['import', await write(rows), '--json'], settings)
      expect(JSON.parse(imported.out)).toMatchObject({ added })
      await serveOnce()
      expect(await exported()).toBe(added)
      if (index === 1) await redlight(['movies', 'remove', '1', '--yes'], settings)
      if (index === 1) await serveOnce()
    }
    await redlight(['seed'], settings)
    expect(await exported()).toBeGreaterThan(100)
    await rm(dataDir, { recursive: true, force: true })
  })

  test('is not created by a dry run, which compares with an empty one and leaves nothing behind', async () => {
    const [folder, temporary] = [await newFolder(), await newFolder()]
    const dataDir = join(folder, 'data')
    // A killed process left this.
    const left = join(temporary, 'redlight-temporary-abc123')
    await Bun.write(join(left, 'owner'), '{}')
    const path = await write([...all.slice(0, 3), ...all.slice(0, 2)])
    const { out } = await redlight(['import', path, '--dry-run'], { DATA_DIR: dataDir, TMPDIR: temporary })
    expect(out).toStartWith('5 rows: 3 added, 0 updated, 0 unchanged, 2 skipped')
    expect([await readdir(folder), await readdir(temporary)]).toEqual([[], []])
  })

  test('is not created by an export, nor for an owner who is not there', async () => {
    const folder = await newFolder()
    const settings = { DATA_DIR: join(folder, 'data') }
    expect(await redlight(['export'], settings)).toMatchObject({
      code: 1,
      error: 'redlight export: there is no catalogue yet: "redlight serve" or "redlight migrate" makes one\n',
    })
    const imported = await redlight(['import', await write(all.slice(0, 1)), '--owner', 'nobody'], settings)
    expect(imported.error).toContain('there is no user "nobody"')
    expect(await readdir(folder)).toEqual([])
  })

  test('is migrated, with the unique rule of the configuration, but not by a dry run on a server', async () => {
    const database = await createTestDatabase()
    const settings = { ...databaseVariables(database.config), MOVIES_UNIQUE_BY: 'title,year' }
    const file = await write([
      { title: 'Ran', year: 1985 },
      { title: 'Ran', year: 1986 },
    ])
    const dry = await redlight(['import', file, '--dry-run'], settings)
    if (database.config.kind === 'postgres')
      expect(dry).toMatchObject({ code: 1, error: expect.stringContaining('run "redlight migrate" first') })
    else expect(dry.out).toContain('2 added')
    expect((await redlight(['import', file], settings)).out).toStartWith('2 rows: 2 added')
    await database.drop()
  })
})
