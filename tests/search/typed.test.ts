import { afterAll, beforeAll, expect, test } from 'bun:test'
import { gunzipSync } from 'bun'
import { knownMovies, typedByHand } from '../support/known-titles'
import { startTestServer, type TestServer } from '../support/server'

// How well q finds what people type. With MOVIES_FILE, an NDJSON file (also gzipped) in the API's form, the same
// among its movies.

const FLOOR = { hit: 0.93, mrr: 0.85 }
const SEED = 20261127
const PER_KIND = 40
const file = process.env.MOVIES_FILE

type Movie = { title: string; year: number; director?: string; cast?: string[] }
let server: TestServer
let token: string
let titles: string[]
beforeAll(async () => {
  server = await startTestServer({}, { keepMovies: file === undefined })
  token = (await server.newUser()).token
  const movies =
    file === undefined
      ? knownMovies.map(([title, year, director]) => ({ title, year, director }))
      : await readMovies(file)
  const { sql } = server
  for (let i = 0; i < movies.length; i += 1000)
    await sql`insert into movies (title, year, runtime, genres, director, "cast")
      select title, year, 90, '{drama}', left(director, 500), "cast"
      from json_to_recordset(${JSON.stringify(movies.slice(i, i + 1000))}::text::json) as sent (title text, year int, director text, "cast" text[])
      on conflict do nothing`
  titles = (await sql<{ title: string }[]>`select title from movies order by id`).map(({ title }) => title)
}, 300_000)
afterAll(() => server.stop())

async function readMovies(path: string): Promise<Movie[]> {
  const bytes = await Bun.file(path).bytes()
  const text = new TextDecoder().decode(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes)
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

/** 1/place of the title among the first ten that `q` finds; 0 when it is not there. */
async function score(q: string, title: string): Promise<number> {
  const { body } = await server.request<{ movies: { title: string }[] }>(
    'GET',
    `/v1/movies?${new URLSearchParams({ q, page_size: '10' })}`,
    { token },
  )
  const place = body.movies.findIndex((movie) => movie.title === title)
  return place === -1 ? 0 : 1 / (place + 1)
}

async function measure(queries: readonly (readonly [typed: string, title: string])[]) {
  const scores = await Promise.all(queries.map(([typed, title]) => score(typed, title)))
  const missed = queries.filter((_, i) => scores[i] === 0)
  const mrr = scores.reduce((sum, each) => sum + each, 0) / scores.length
  return { hit: 1 - missed.length / scores.length, mrr, missed }
}

let state = SEED
/** Numerical Recipes' generator. */
function below(max: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return Math.floor((state / 2 ** 32) * max)
}
const rows = ['qwertyuiop', 'asdfghjkl', 'zxcvbnm']
function neighbour(letter: string): string {
  const row = rows.find((keys) => keys.includes(letter)) ?? letter
  const at = row.indexOf(letter)
  return row[at + 1] ?? row[at - 1] ?? letter
}
const mistakes: Record<string, (title: string) => string> = {
  swap(title) {
    const at = below(title.length - 1)
    return title.slice(0, at) + title.charAt(at + 1) + title.charAt(at) + title.slice(at + 2)
  },
  drop(title) {
    const at = below(title.length)
    return title.slice(0, at) + title.slice(at + 1)
  },
  double(title) {
    const at = below(title.length)
    return title.slice(0, at) + title.charAt(at) + title.slice(at)
  },
  'neighbouring key'(title) {
    const at = below(title.length)
    return title.slice(0, at) + neighbour(title.charAt(at)) + title.slice(at + 1)
  },
  cut: (title) => title.slice(0, Math.max(4, Math.ceil(title.length * 0.7))),
}

test('what was mistyped by a program finds its movie', async () => {
  const long = titles.filter((title) => title.length > 3)
  const queries = Object.values(mistakes).flatMap((mistake) =>
    Array.from({ length: PER_KIND }, () => {
      const title = long[below(long.length)] ?? ''
      return [mistake(title.toLowerCase()), title] as const
    }),
  )
  const found = await measure(queries)
  if (file !== undefined) console.info(found)
  expect(found.hit, JSON.stringify(found.missed)).toBeGreaterThanOrEqual(FLOOR.hit)
  expect(found.mrr).toBeGreaterThanOrEqual(FLOOR.mrr)
}, 240_000)

test('what people type finds the movie that they mean', async () => {
  const found = await measure(typedByHand.filter(([, title]) => titles.includes(title)))
  if (file !== undefined) console.info(found)
  expect(found.hit, JSON.stringify(found.missed)).toBeGreaterThanOrEqual(FLOOR.hit)
  expect(found.mrr).toBeGreaterThanOrEqual(FLOOR.mrr)
}, 240_000)
