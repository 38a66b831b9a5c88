import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { chmod, lstat, readdir, stat, symlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { MovieJson } from '../../src/movies/model'
import { spawnRedlight } from '../support/command-line'
import { executable } from '../support/executable'
import type { TestUser } from '../support/server'
import { type Fields, transferService } from '../support/transfer'

const { server, run, env, newPath } = transferService()

/** Texts that careless CSV code would change. */
const odd: readonly Fields[] = [
  { title: '+1', year: 1987, runtime: '101 mins', genres: ['drama'] },
  { title: '-30-', year: 1959, runtime: '96 mins', genres: ['drama', 'sci; fi | x'] },
  { title: '"Quoted", and more', year: 2001, runtime: '1 mins', genres: ['a"b'], director: 'A, B; C' },
  { title: '=1+1', year: 2002, runtime: '2 mins', genres: ['x'], synopsis: 'one\r\ntwo\rthree\n"four"\t' },
  { title: 'N/A', year: 2003, runtime: '3 mins', genres: ['null'], director: ' nan ', cast: [] },
  {
    title: '007',
    year: 2004,
    runtime: '4 mins',
    genres: ['x'],
    cast: ['N/A', '', 'a\\"b', "['x']"].filter(Boolean),
  },
  {
    title: 'Matrix, The',
    year: 1999,
    runtime: '136 mins',
    genres: ['x'],
    external_id: '1.0',
    imdb_id: 'tt0133093',
  },
  { title: '🎬 \u2028 é é', year: 2005, runtime: '5 mins', genres: ['x'], release_date: '2004-12-31' },
]

let alice: TestUser
let all: MovieJson[]
beforeAll(async () => {
  alice = await server().newUser({ username: 'alice1' })
  const { id } = await server().newUser()
  const { token } = alice
  for (const body of odd) {
    const { status, text } = await server().request('POST', '/v1/movies', { token, body })
    expect({ status, text: status === 201 ? '' : text }).toEqual({ status: 201, text: '' })
  }
  await server().sql`insert into movies (title, year, genres, created_by) values ('Bare', 1950, '{}', ${id})`
  await server().sql`update movies set version = 3 where title = '+1'`
  all = (await server().request<{ movies: MovieJson[] }>('GET', '/v1/movies', { token })).body.movies
})

describe('redlight export', () => {
  test('writes all movies as the API shows them, in the order of their ids', async () => {
    const { code, out, error } = await run(['export'])
    expect({ code, error }).toEqual({ code: 0, error: '' })
    expect(out).toBe(all.map((movie) => `${JSON.stringify(movie)}\n`).join(''))
    expect(all).toHaveLength(odd.length + 1)
  })

  test('writes CSV by RFC 4180, with the texts as they are', async () => {
    const { out } = await run(['export', '--format', 'csv'])
    const [header, first, second, third] = out.split('\r\n')
    expect(header).toBe(
      'id,title,year,runtime,genres,director,cast,release_date,synopsis,poster,imdb_id,external_id,created_by,version',
    )
    expect(first).toBe(`1,+1,1987,101 mins,"[""drama""]",,,,,,,,${alice.id},3`)
    expect(second).toBe(`2,-30-,1959,96 mins,"[""drama"",""sci; fi | x""]",,,,,,,,${alice.id},1`)
    expect(third).toBe(`3,"""Quoted"", and more",2001,1 mins,"[""a\\""b""]","A, B; C",,,,,,,${alice.id},1`)
    expect(out).toContain(',"one\r\ntwo\rthree\n""four""\t",')
    expect(out).toContain(`,N/A,2003,3 mins,"[""null""]"," nan ",[],`)
    expect(out.endsWith(',Bare,1950,,[],,,,,,,,3,1\r\n') || out.includes(',Bare,1950,,[],')).toBe(true)
    expect(out).not.toStartWith('\ufeff')
  })

  test("--owner picks one user's movies", async () => {
    for (const owner of ['alice1', alice.email, String(alice.id)]) {
      const { out } = await run(['export', '--owner', owner])
      expect(out.trimEnd().split('\n')).toHaveLength(odd.length)
    }
    const { code, error } = await run(['export', '--owner', 'nobody'])
    expect({ code, error }).toMatchObject({ code: 1, error: expect.stringContaining('no user "nobody"') })
  })

  test('--output replaces a file once everything is written, or leaves it unchanged', async () => {
    const path = newPath('movies.csv')
    await Bun.write(path, 'old')
    const { code, out } = await run(['export', '--format', 'csv', '--output', path])
    expect({ code, out }).toEqual({ code: 0, out: `Wrote ${path}: ${odd.length + 1} movies.\n` })
    const written = await Bun.file(path).text()
    expect(written).toBe((await run(['export', '--format', 'csv'])).out)
    const failed = await run(['export', '--owner', 'nobody', '--output', path])
    expect(failed.code).toBe(1)
    expect(await Bun.file(path).text()).toBe(written)
    expect((await readdir(dirname(path))).filter((name) => name.includes('unfinished'))).toEqual([])
    const nowhere = await run(['export', '--output', `${path}/nowhere`])
    expect(nowhere).toMatchObject({
      code: 1,
      error: expect.stringMatching(/^redlight export: can't write .*folder/),
    })
    if (existsSync('/dev/full')) {
      const full = await run(['export', '--output', '/dev/full'])
      expect(full).toMatchObject({ code: 1, error: expect.stringContaining('the disk is full') })
      expect((await stat('/dev/full')).isCharacterDevice()).toBe(true)
    }
  })

  test('--output replaces the file behind a link, and keeps its mode', async () => {
    const path = newPath('movies.ndjson')
    await Bun.write(path, 'old')
    await chmod(path, 0o600)
    await symlink(path, `${path}.link`)
    expect(await run(['export', '--output', `${path}.link`])).toMatchObject({ code: 0 })
    expect(await Bun.file(path).text()).toBe((await run(['export'])).out)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await lstat(`${path}.link`)).isSymbolicLink()).toBe(true)
  })

  test('rejects another format as wrong usage', async () => {
    expect(await run(['export', '--format', 'xml'])).toMatchObject({ code: 2 })
  })
})

describe('a large export', () => {
  beforeAll(async () => {
    await server().sql`
      insert into movies (title, year, genres, synopsis)
      select 'Movie ' || n, 2000, '{}', repeat('word ', 200) from generate_series(1, 3000) as n`
  })
  afterAll(async () => {
    await server().sql`delete from movies where title like 'Movie %'`
  })

  test('ends quietly when its reader leaves', async () => {
    const child = Bun.spawn(['sh', '-c', `"$@" | head -n 1`, 'sh', executable, 'export'], {
      env: { PATH: process.env.PATH ?? '', ...env() },
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const [out, error] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ])
    expect({ out, error }).toEqual({ out: `${JSON.stringify(all[0])}\n`, error: '' })
    expect(await child.exited).toBe(0)
  })

  test('is a snapshot, even during writes', async () => {
    const { sql } = server()
    const child = spawnRedlight(['export'], env())
    const reader = child.stdout.getReader()
    const decoder = new TextDecoder()
    // More than the pipe holds is still to come, and the first line shows that the moment has passed.
    let text = decoder.decode((await reader.read()).value, { stream: true })
    await sql`delete from movies where title = 'Movie 3000'`
    await sql`insert into movies (title, year, genres) values ('Later', 2000, '{}')`
    for (let next = await reader.read(); !next.done; next = await reader.read())
      text += decoder.decode(next.value, { stream: true })
    expect(await child.exited).toBe(0)
    const titles = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).title)
    expect(titles).toHaveLength(all.length + 3000)
    expect(titles.at(-1)).toBe('Movie 3000')
    await sql`delete from movies where title = 'Later'`
  })

  test('is stopped by a signal at once, even if its reader waits', async () => {
    const toPipe = spawnRedlight(['export'], env())
    const reader = toPipe.stdout.getReader()
    await reader.read()
    toPipe.kill('SIGINT')
    expect(await toPipe.exited).toBe(130)
  })
})
