import { beforeEach, describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { onDuplicateModes } from '../../src/transfer/codes'
import { countsOf, transferService } from '../support/transfer'

const { importAll, importFile, run, write, newPath, movies, clear, server, env } = transferService()
beforeEach(async () => {
  await clear()
})

const jaws = { title: 'Jaws', year: 1975 }
const count = async () => (await movies()).length

describe('an imported movie', () => {
  test('may lack runtime and genres, and is as the row says otherwise', async () => {
    const full = {
      ...{
        title: 'Ran',
        year: 1985,
        runtime: '162 mins',
        genres: ['drama', 'war'],
        director: 'Akira Kurosawa',
      },
      ...{
        cast: ['Tatsuya Nakadai'],
        release_date: '1985-06-01',
        synopsis: 'A lord.',
        poster: 'https://x.org/r.jpg',
      },
      ...{ imdb_id: 'tt0089881', external_id: 'r/1'.replace('/', '-') },
    }
    const { code, report, error } = await importFile([jaws, full])
    expect({ code, error }).toEqual({ code: 0, error: '' })
    expect(report).toEqual({
      ...{ rows: 2, added: 2, updated: 0, unchanged: 0, skipped: 0, rejected: 0, not_movies: 0 },
      reasons: {},
    })
    expect(await movies()).toEqual([
      { ...jaws, genres: [], version: 1 },
      { ...full, runtime: 162, version: 1 },
    ])
    const [owner] = await server().sql`select distinct created_by::int as id from movies`
    expect(owner?.id).toBe(1)
  })

  test('belongs to --owner, by id, address or username', async () => {
    const { id, email } = await server().newUser({ username: 'dora1' })
    for (const [year, owner] of [String(id), email, 'dora1'].entries())
      await run(['import', await write([{ title: `Movie ${year}`, year: 2000 }]), '--owner', owner])
    const owners = await server().sql`select created_by::int as id from movies`
    expect(owners.map((row) => row.id)).toEqual([id, id, id])
    const unknown = await importFile([jaws], '--owner', 'nobody')
    expect(unknown.code).toBe(1)
    expect(unknown.error).toContain('there is no user "nobody"')
    expect(unknown.report.error).toContain('there is no user "nobody"')
  })
})

describe('the rules', () => {
  test('are those of POST, and every failing field is reported with its kind', async () => {
    const bad = [
      { year: 1975, poster: 'jaws.jpg' },
      { title: 'x'.repeat(501), year: 1700, genres: ['a', 'b', 'c', 'd', 'e', 'f'] },
      { title: 'A', release_date: '1700-01-01', imdb_id: 'tt95000000', synopsis: 'x'.repeat(10_001) },
      { title: 'B', year: 2000, external_id: 'a/b', genres: ['one\u0000'], director: '\ud800' },
    ]
    const { code, report, error } = await importFile(bad)
    expect(code).toBe(1)
    expect(report).toMatchObject({ rows: 4, rejected: 4 })
    expect(report.reasons).toEqual({
      ...{ 'title: missing': 1, 'poster: url': 1, 'title: too long': 1, 'year: out of range': 1 },
      ...{ 'genres: too many': 1, 'release_date: out of range': 1, 'imdb_id: out of range': 1 },
      ...{
        'synopsis: too long': 1,
        'external_id: characters': 1,
        'genres: characters': 1,
        'director: characters': 1,
      },
    })
    expect(error).toContain(
      'line 2: title must not be more than 500 characters long; year must be between 1888',
    )
    expect(await count()).toBe(0)
  })

  test('--require rejects rows without these fields', async () => {
    const rows = [jaws, { title: 'Ran', year: 1985, runtime: '162 mins', genres: [] }]
    const { report } = await importAll(rows, { require: ['runtime', 'genres'] })
    expect(report).toMatchObject({ rejected: 2, reasons: { 'genres: missing': 2, 'runtime: missing': 1 } })
    expect(countsOf(await importFile(rows, '--require', 'title, year'))).toEqual({ rows: 2, added: 2 })
    const both = await importFile([jaws], '--require', 'runtime,runtime', '--require', 'genres')
    expect(both.error).toBe(
      'redlight import: line 1: runtime must be provided (--require); genres must be provided (--require)\n',
    )
  })
})

describe('the report', () => {
  test('is a line of counts, then each reason with the option that would help', async () => {
    await importAll([jaws])
    const rows = [{ ...jaws, year: 1978 }, { title: 'Jaws 2', year: 1978 }, jaws]
    const { code, out, error } = await run(['import', await write(rows)])
    expect(code).toBe(1)
    expect(out).toBe(
      '3 rows: 1 added, 0 updated, 0 unchanged, 1 skipped, 1 rejected, 0 not movies\n' +
        '       1  title: namesake  --on-duplicate suffix-year adds them as "Title (year)"\n',
    )
    expect(error).toBe('redlight import: line 1: title is that of a movie from another year\n')
  })

  test('advises another encoding only where that may help', async () => {
    const advice = '--encoding says how to read them, such as windows-1252'
    const nul = await run(['import', await write([{ title: 'a\0b', year: 1975 }])])
    expect(nul.out).toContain(`1  title: characters  ${advice}`)
    const own = await run(['import', await write([{ id: 1, title: ' Jaws ', year: 1975, version: 1 }])])
    expect(own.out).toEndWith('       1  title: characters\n')
    const half = Buffer.from('title,year\nJ\ud800,1975\n', 'utf16le')
    const utf16 = await run(['import', await write(half), '--encoding', 'utf-16le'])
    expect(utf16.out).toEndWith('       1  row: not utf-8\n')
    expect(utf16.error).toContain('line 2: row must be valid UTF-16, without half a surrogate pair\n')
  })

  test('shows the first ten rejected rows, and makes what they say safe', async () => {
    const rows = Array.from({ length: 12 }, (_, year) => ({ title: `Movie ${year}`, year }))
    const { error } = await run(['import', await write(rows)])
    expect(error.match(/^redlight import: line \d+: year must be between/gm)).toHaveLength(10)
    expect(error).toContain('and 2 more rejected')
  })

  test('of a dry run is the same, and nothing is written', async () => {
    await importAll([jaws])
    const rows = [
      jaws,
      { ...jaws, year: 1978 },
      { title: 'Ran', year: 1985 },
      { title: 'ran', year: 1985, runtime: '9 mins' },
    ]
    for (const onDuplicate of onDuplicateModes) {
      await clear()
      await importAll([jaws])
      // More than a batch, so that the rows of another batch count too.
      const many = [
        ...rows,
        ...Array.from({ length: 1100 }, (_, n) => ({ title: `M${n}`, year: 2000 })),
        ...rows,
      ]
      const dry = await importAll(many, { onDuplicate, dryRun: true })
      expect(await movies()).toEqual([{ ...jaws, genres: [], version: 1 }])
      expect({ onDuplicate, ...dry }).toEqual({ onDuplicate, ...(await importAll(many, { onDuplicate })) })
    }
    const { out } = await run(['import', await write([{ title: 'New', year: 2000 }]), '--dry-run'])
    expect(out).toContain('(dry run: nothing was written)')
  })
})

describe('the reject file', () => {
  test('has each rejected row, and is imported by the same command once corrected', async () => {
    const path = newPath('rejected.ndjson')
    const rows = [jaws, { title: 'Ran', year: 85, director: 'Kurosawa' }, { ...jaws, year: 1978 }]
    const { report } = await importAll(rows, { rejectFile: path })
    expect(report).toMatchObject({ rows: 3, added: 1, rejected: 2 })
    const rejected = (await Bun.file(path).text()).trimEnd().split('\n')
    expect(rejected.map((line) => JSON.parse(line))).toEqual([
      { line: 2, errors: { year: expect.stringContaining('between 1888') }, row: rows[1] },
      { line: 3, errors: { title: 'is that of a movie from another year' }, row: rows[2] },
    ])
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const corrected = await write(rejected.join('\n').replace('"year":85', '"year":1985'))
    const again = await run(['import', corrected, '--json', '--reject-file', newPath()])
    expect(JSON.parse(again.out)).toMatchObject({ rows: 2, added: 1, rejected: 1 })
    expect((await movies())[1]).toMatchObject({ title: 'Ran', year: 1985, director: 'Kurosawa' })
  })

  test('never replaces a file, and is not left empty', async () => {
    const path = await write('mine')
    const taken = await importFile([jaws], '--reject-file', path)
    expect(taken.code).toBe(1)
    expect(taken.report).toMatchObject({ rows: 0, error: expect.stringContaining('exists already') })
    expect(await Bun.file(path).text()).toBe('mine')
    const unused = newPath()
    await importAll([jaws], { rejectFile: unused })
    expect(existsSync(unused)).toBe(false)
  })

  test('that can no longer be written stops the import with one sentence', async () => {
    const limited = ['sh', '-c', 'ulimit -f 0; exec "$@"', 'sh', process.execPath, 'src/main.ts']
    const child = Bun.spawn(
      [...limited, 'import', await write([{ title: 'Ran', year: 85 }, jaws]), '--reject-file', newPath()],
      { env: { PATH: process.env.PATH ?? '', ...env() }, stdout: 'pipe', stderr: 'pipe' },
    )
    const [error, code] = await Promise.all([new Response(child.stderr).text(), child.exited])
    expect(code).toBe(1)
    expect(error).toMatch(/^redlight import: can't write \S+ \(EFBIG\): check the disk; 1 movie is written/m)
  })
})

describe('wrong usage', () => {
  test('is exit code 2, and says what would be right', async () => {
    const file = await write([jaws])
    for (const [args, words] of [
      [
        ['--on-duplicate', 'skp'],
        '"skp" is not one of skip, fail, update, suffix-year, did you mean "skip"?',
      ],
      [['--extra-genres', 'drop'], 'is not one of reject, cut'],
      [['--require', 'titel'], '"titel" is not a field of a movie, did you mean "title"?'],
      [
        ['--map', 'title=title', '--map', 'title=director'],
        '--map names the column "title" twice, for title and director: choose one',
      ],
      [
        ['--map', 'title=title', '--map', 'Title=director'],
        '--map names the column "title" twice, for title and director: choose one',
      ],
      [['--map', 'title'], '--map takes COLUMN=FIELD, not "title"'],
      [['--map', 'Name=titel'], 'did you mean "title"?'],
      [['--format', 'xlsz'], '"xlsz"'],
    ] as const) {
      const { code, out, error } = await run(['import', file, ...args])
      expect({ args, code, out }).toEqual({ args, code: 2, out: '' })
      expect(error).toContain(words)
    }
    expect(countsOf(await importAll([jaws]))).toEqual({ rows: 1, added: 1 })
  })
})
