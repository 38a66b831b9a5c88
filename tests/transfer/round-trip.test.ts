import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { exportFormats } from '../../src/transfer/export'
import { databaseVariables, redlight } from '../support/command-line'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { type Fields, transferService } from '../support/transfer'

// What was exported and is imported into an empty database is the same there, in both formats.

const { server, run, newPath, importFile, clear } = transferService()

/** Texts and lists that the reading of other files would trim, split, clear or turn. */
const odd: readonly Fields[] = [
  { title: '+1', year: 1987, runtime: 101, genres: ['drama'] },
  { title: 'N/A', year: 2003, runtime: 3, genres: ['null', 'N/A'], director: ' nan ', cast: [] },
  { title: '007', year: 2004, genres: ['sci; fi | x'], cast: ['N/A', ' a ', 'a\\"b', "['x']", 'b, c'] },
  { title: '"Quoted", and more', year: 2001, genres: ['a"b', "it's"], director: 'A, B; C' },
  { title: '=1+1', year: 2002, runtime: 2, genres: [], synopsis: 'one\r\ntwo\rthree\n"four"\t' },
  { title: 'Matrix, The', year: 1999, genres: ['x'], external_id: '1.0', imdb_id: 'tt0133093' },
  { title: '🎬 \u2028 é é', year: 2005, genres: ['x'], release_date: '2004-12-31', synopsis: '\\N' },
  {
    title: 'Movie (1990)',
    year: 1991,
    genres: ['x'],
    synopsis: '[]',
    director: '{"a":1}',
    poster: 'http://x.y/a,b',
  },
]

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
  const { sql } = server()
  const names = Object.keys(Object.assign({}, ...odd)).map((name) => `"${name}"`)
  await sql.unsafe(
    `insert into movies (${names}, version) select ${names}, 2 from json_populate_recordset(null::movies, $1::text::json)`,
    [JSON.stringify(odd)],
  )
})
afterAll(() => database.drop())

const without = (line: string) => {
  const { id: _, created_by: _creator, version: _version, ...movie } = JSON.parse(line)
  return movie
}

describe('an export', () => {
  for (const format of exportFormats)
    test(`as ${format} is the same catalogue when it is imported elsewhere`, async () => {
      const file = newPath(`movies.${format}`)
      const target = databaseVariables(database.config)
      await run(['export', '--format', format, '--output', file])
      const imported = await redlight(['import', file, '--json'], target)
      expect(imported).toMatchObject({ code: 0, error: '' })
      const before = (await run(['export'])).out.trimEnd().split('\n').map(without)
      const after = (await redlight(['export'], target)).out.trimEnd().split('\n').map(without)
      expect(after).toEqual(before)
      expect(after).toHaveLength(odd.length)
      const again = await redlight(['import', file, '--json', '--on-duplicate', 'update'], target)
      expect(JSON.parse(again.out)).toMatchObject({ rows: odd.length, unchanged: odd.length })
      const empty = await redlight(['movies', 'list'], target)
      for (const [id] of empty.out.matchAll(/^\d+(?=\t)/gm)) await redlight(['movies', 'remove', id], target)
    })

  test('is the same after its rows have passed through a reject file', async () => {
    await clear()
    const own = { director: 'A | B', cast: ['  pad', 'pad'], synopsis: 'N/A' }
    const row = { id: 5, title: 'Ran', year: 1985, genres: ['x'], ...own, version: 3 }
    await importFile([{ title: 'Ran', year: 1984 }])
    const rejected = newPath('rejected.ndjson')
    expect((await importFile([row], '--reject-file', rejected)).report).toMatchObject({ rejected: 1 })
    await run(['import', rejected, '--on-duplicate', 'suffix-year'])
    const [movie] = await server()
      .sql`select director, to_json("cast") as "cast", synopsis from movies where year = 1985`
    expect({ ...movie }).toEqual(own)
  })

  test('and any other file are told apart by its keys', async () => {
    await clear()
    const row = {
      title: ' Matrix, The ',
      year: '1999',
      genres: 'a|b',
      cast: ['x', 'x'],
      director: 'nan',
    }
    expect((await importFile([row])).report).toMatchObject({ added: 1 })
    const [movie] = await server().sql`select title, genres, "cast", director from movies`
    expect({ ...movie }).toEqual({ title: 'Matrix, The', genres: ['a', 'b'], cast: ['x'], director: null })
  })
})
