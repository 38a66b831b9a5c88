import { beforeEach, describe, expect, test } from 'bun:test'
import { onDuplicateModes } from '../../src/transfer/codes'
import { countsOf, type Fields, transferService } from '../support/transfer'

// What --on-duplicate makes of rows whose movie, or a namesake, is there already: in the database or in the same file.

const kong = (year: number, more: Fields = {}) => ({ title: 'King Kong', year, ...more })

describe('by title', () => {
  const { importAll, movies, clear, server } = transferService()
  beforeEach(async () => {
    await clear()
  })
  const titles = async () =>
    (await movies()).map(({ title, year, version }) => `${title} ${year} v${version}`)

  test('skip leaves the same movie out, and rejects a namesake', async () => {
    const first = await importAll([
      kong(1933, { imdb_id: 'tt0024216', external_id: 'a' }),
      { title: 'king   kong', year: 1933 },
      { title: 'Kong', year: 2000, imdb_id: 'tt00024216' },
      { title: 'Kong', year: 2001, external_id: 'a' },
      kong(1976),
    ])
    expect(first.report).toMatchObject({ rows: 5, added: 1, skipped: 3, rejected: 1 })
    expect(first.report.reasons).toEqual({ 'title: namesake': 1 })
    expect(await titles()).toEqual(['King Kong 1933 v1'])
    expect(countsOf(await importAll([kong(1933), { title: 'X', year: 1, external_id: 'a' }]))).toEqual({
      rows: 2,
      skipped: 1,
      rejected: 1,
    })
  })

  test('fail rejects both, and names every field that is taken', async () => {
    await importAll([kong(1933, { imdb_id: 'tt0024216' })])
    const { report } = await importAll(
      [
        kong(1933, { imdb_id: 'tt0024216' }),
        kong(1976),
        { title: 'Jaws', year: 1975 },
        { title: 'Jaws', year: 1975 },
      ],
      { onDuplicate: 'fail' },
    )
    expect(report).toMatchObject({ rows: 4, added: 1, rejected: 3 })
    expect(report.reasons).toEqual({ 'title: exists': 2, 'imdb_id: exists': 1, 'title: namesake': 1 })
  })

  test('suffix-year adds a namesake under its title and year, once', async () => {
    const rows = [kong(1933), kong(1976), kong(2005), kong(1976)]
    const again = { onDuplicate: 'suffix-year' } as const
    expect(countsOf(await importAll(rows, again))).toEqual({ rows: 4, added: 3, skipped: 1 })
    expect(countsOf(await importAll(rows, again))).toEqual({ rows: 4, skipped: 4 })
    expect(await titles()).toEqual([
      'King Kong 1933 v1',
      'King Kong (1976) 1976 v1',
      'King Kong (2005) 2005 v1',
    ])
    const taken = [
      { title: 'Heat', year: 1986 },
      { title: 'Heat (1995)', year: 1996 },
      { title: 'Heat', year: 1995 },
    ]
    expect((await importAll(taken, again)).report).toMatchObject({
      added: 2,
      reasons: { 'title: namesake': 1 },
    })
    const long = 'x'.repeat(495)
    const tooLong = [
      { title: long, year: 1986 },
      { title: long, year: 1995 },
    ]
    expect((await importAll(tooLong, again)).report).toMatchObject({
      added: 1,
      reasons: { 'title: too long': 1 },
    })
  })

  describe('update', () => {
    const update = (rows: Fields[], more = {}) => importAll(rows, { onDuplicate: 'update', ...more })

    test('sets what the row fills, and nothing else', async () => {
      const full = {
        director: 'Merian C. Cooper',
        genres: ['horror'],
        cast: ['Fay Wray'],
        runtime: '100 mins',
      }
      await importAll([kong(1933, { ...full, imdb_id: 'tt0024216', release_date: '1933-03-07' })])
      expect(countsOf(await update([kong(1933, { synopsis: 'An ape.', genres: [] })]))).toEqual({
        rows: 1,
        updated: 1,
      })
      const [movie] = await movies()
      expect(movie).toEqual({
        ...kong(1933),
        ...{ ...full, runtime: 100, imdb_id: 'tt0024216', release_date: '1933-03-07', synopsis: 'An ape.' },
        version: 2,
      })
      expect(countsOf(await update([kong(1933, { synopsis: 'An ape.', runtime: '100 mins' })]))).toEqual({
        rows: 1,
        unchanged: 1,
      })
      const renamed = [{ title: 'KING KONG', imdb_id: 'tt00024216', release_date: '1934-01-01' }]
      expect(countsOf(await update(renamed))).toEqual({ rows: 1, updated: 1 })
      expect((await movies())[0]).toEqual({
        ...movie,
        ...{ title: 'KING KONG', release_date: '1934-01-01', version: 3 },
      })
    })

    test('applies rows of one batch one after another', async () => {
      const rows = [
        kong(1933, { external_id: 'a' }),
        { title: 'Kong', year: 1933, external_id: 'a', director: 'Cooper' },
        kong(1976),
        { title: 'Kong', year: 1933, runtime: '100 mins' },
        { title: 'Kong', year: 1933, director: 'Cooper' },
      ]
      expect(countsOf(await update(rows))).toEqual({ rows: 5, added: 2, updated: 2, unchanged: 1 })
      expect(await movies()).toEqual([
        {
          title: 'Kong',
          year: 1933,
          runtime: 100,
          genres: [],
          director: 'Cooper',
          external_id: 'a',
          version: 3,
        },
        { ...kong(1976), genres: [], version: 1 },
      ])
    })

    test('rejects a row that is two movies, or takes the title of another', async () => {
      await importAll([
        kong(1933, { imdb_id: 'tt0024216' }),
        { title: 'Jaws', year: 1975, external_id: 'jaws' },
      ])
      const { report } = await update([
        { title: 'Jaws', year: 1975, imdb_id: 'tt0024216' },
        { title: 'Jaws', year: 1933, imdb_id: 'tt0024216' },
        { title: 'Other', year: 1933, imdb_id: 'tt0024216', external_id: 'jaws' },
        kong(1976),
      ])
      expect(report).toMatchObject({ rows: 4, rejected: 4 })
      expect(report.reasons).toEqual({ 'row: two movies': 2, 'title: namesake': 2 })
      expect(await titles()).toEqual(['King Kong 1933 v1', 'Jaws 1975 v1'])
    })

    test("with --owner changes that owner's movies alone", async () => {
      const { id } = await server().newUser()
      await importAll([kong(1933)])
      await importAll([{ title: 'Jaws', year: 1975 }], { ownerId: id })
      const rows = [kong(1933, { director: 'C' }), { title: 'Jaws', year: 1975, director: 'S' }]
      const { report } = await update(rows, { owner: 'carol', ownerId: id })
      expect(report).toMatchObject({ updated: 1, rejected: 1, reasons: { 'title: exists': 1 } })
      expect(countsOf(await update(rows))).toEqual({ rows: 2, updated: 1, unchanged: 1 })
      const owners = await server().sql`select created_by::int as id from movies order by id`
      expect(owners.map((row) => row.id)).toEqual([1, id])
    })
  })
})

describe('by title and year', () => {
  const { importAll, movies, clear } = transferService({ moviesUniqueBy: 'title,year' })
  beforeEach(async () => {
    await clear()
  })

  test('namesakes are simply added, whatever --on-duplicate says', async () => {
    for (const [index, onDuplicate] of onDuplicateModes.entries()) {
      const first = 1900 + 10 * index
      const { report } = await importAll([kong(first), kong(first + 1)], { onDuplicate })
      expect({ onDuplicate, ...report }).toMatchObject({ onDuplicate, added: 2 })
    }
    expect(new Set((await movies()).map(({ title }) => title))).toEqual(new Set(['King Kong']))
  })

  test('an update that would make two movies one is rejected', async () => {
    await importAll([
      kong(1933, { external_id: 'a' }),
      kong(1976, { external_id: 'b' }),
      { title: 'Kong', year: 1933, external_id: 'c' },
    ])
    const { report } = await importAll(
      [
        kong(1976, { external_id: 'a' }),
        { title: 'King Kong', release_date: '1990-01-01', external_id: 'c' },
      ],
      { onDuplicate: 'update' },
    )
    expect(report).toMatchObject({ rejected: 2, reasons: { 'row: two movies': 2 } })
  })
})
