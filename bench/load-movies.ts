import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type postgres from 'postgres'
import { FIRST_USER_ID, USERS } from './users'
import { firstNames, genres, syllables, titleWords, VOCABULARY } from './words'

export type Progress = (what: string) => void

const BATCH = 20_000
const SYNOPSES = 1000
const FIRST_YEAR = 1900

/** An array in SQL; our words contain no quotes. */
const array = (words: readonly string[]) => `array['${words.join("','")}']`

// `uniform` draws the k-th number of movie n, the same in each run; `skewed` draws from 1 to size with a probability that
// falls as 1/n (Zipf), like the frequency of words, genres and famous people.
const functions = `
create function pg_temp.uniform(n bigint, k bigint) returns float8 language sql immutable as
  $$ select (hashint8extended(n, k) & 4294967295)::float8 / 4294967296 $$;
create function pg_temp.skewed(n bigint, k bigint, size int) returns int language sql immutable as
  $$ select floor(power(size + 1, pg_temp.uniform(n, k)))::int $$;
create function pg_temp.syllables(i int) returns text language sql immutable as
  $$ select (${array(syllables)})[1 + i % ${syllables.length}]
    || (${array(syllables)})[1 + i / ${syllables.length} % ${syllables.length}]
    || case when i < ${syllables.length ** 2} then ''
       else (${array(syllables)})[i / ${syllables.length ** 2} % ${syllables.length}] end $$;
create function pg_temp.word(i int) returns text language sql immutable as
  $$ select case when i <= ${titleWords.length} then (${array(titleWords)})[i] else pg_temp.syllables(i) end $$;
create function pg_temp.person(i int) returns text language sql immutable as
  $$ select (${array(firstNames)})[1 + i % ${firstNames.length}]
    || ' ' || initcap(pg_temp.syllables(${syllables.length} + i / ${firstNames.length})) $$`

/** Titles must be unique, so repeated ones get a number, like sequels. */
const titles = `
create temp table titles as
select id, title || coalesce(' ' || nullif(row_number() over (partition by title order by id), 1), '') as title
from (
  select n as id, (
    select initcap(string_agg(pg_temp.word(pg_temp.skewed(n, k, ${VOCABULARY})), ' ' order by k))
    from generate_series(1, 1 + floor(5 * sqrt(pg_temp.uniform(n, 100)))::int) as k
  ) as title
  from generate_series(1, $1::bigint) as n
) as named`

const synopses = `
create temp table synopses as
select n as id, (
  select initcap(string_agg(pg_temp.word(pg_temp.skewed(n, k, ${VOCABULARY})), ' ' order by k)) || '.'
  from generate_series(1000, 1014 + floor(40 * pg_temp.uniform(n, 101))::int) as k
) as synopsis
from generate_series(0, ${SYNOPSES - 1}) as n`

const batch = (rows: number, thisYear: number) => `
insert into movies (id, title, year, runtime, genres, director, "cast", release_date, synopsis, created_by)
  overriding system value
select movies.id, movies.title, movies.year,
  60 + floor(120 * pg_temp.uniform(movies.id, 103))::int,
  array(
    select distinct (${array(genres)})[pg_temp.skewed(movies.id, 200 + k, ${genres.length})]
    from generate_series(1, 1 + floor(4 * pg_temp.uniform(movies.id, 104))::int) as k
  ),
  pg_temp.person(pg_temp.skewed(movies.id, 105, ${people(rows)})),
  array(
    select distinct pg_temp.person(pg_temp.skewed(movies.id, 300 + k, ${people(rows)}))
    from generate_series(1, floor(9 * pg_temp.uniform(movies.id, 106))::int) as k
  ),
  case when pg_temp.uniform(movies.id, 107) < 0.9 then make_date(
    movies.year, 1 + floor(12 * pg_temp.uniform(movies.id, 108))::int, 1 + floor(28 * pg_temp.uniform(movies.id, 109))::int
  ) end,
  case when pg_temp.uniform(movies.id, 110) < 0.8 then synopses.synopsis end,
  ${FIRST_USER_ID} + movies.id % ${USERS}
from (
  select id, title,
    ${FIRST_YEAR} + floor(${thisYear - FIRST_YEAR + 1} * sqrt(pg_temp.uniform(id, 102)))::int as year
  from titles where id between $1 and $2
) as movies
join synopses on synopses.id = movies.id % ${SYNOPSES}
order by movies.id`

const people = (rows: number) => Math.min(60_000, Math.max(1000, Math.round(rows / 5)))

/** Fills the movies table of a migrated database: indexes, generated columns and triggers work as in production. */
export async function loadMovies(pool: postgres.Sql, rows: number, progress: Progress) {
  const sql = await pool.reserve()
  try {
    // These affect only the loading, which isn't measured.
    await sql.unsafe(`set synchronous_commit = off; set work_mem = '256MB'; ${functions}`)
    progress('titles')
    await sql.unsafe(titles, [rows])
    await sql.unsafe('alter table titles add primary key (id)')
    await sql.unsafe(`${synopses}; analyze titles; analyze synopses`)
    const insert = batch(rows, new Date().getUTCFullYear())
    for (let first = 1; first <= rows; first += BATCH) {
      progress(`movies ${first - 1} of ${rows}`)
      await sql.unsafe(insert, [first, Math.min(first + BATCH - 1, rows)])
    }
    await sql.unsafe('drop table titles, synopses; reset synchronous_commit; reset work_mem')
    await settle(sql, progress)
  } finally {
    sql.release()
  }
}

const COLUMNS =
  'id, title, year, runtime, genres, director, "cast", release_date, synopsis, created_by, version'

/** Copies the movies of Redlight's database, with their creators, into the floor's. */
export async function copyMovies(from: postgres.Sql, to: postgres.Sql, progress: Progress) {
  progress('the movies of the floor')
  await copy(from, to, 'users', 'id, name, username')
  await copy(from, to, 'movies', COLUMNS)
  await settle(to, progress)
}

/** Through a file next to the cluster's own, because a session sees only one database. */
async function copy(from: postgres.Sql, to: postgres.Sql, table: string, columns: string) {
  const [found] = await from<{ folder: string }[]>`select current_setting('data_directory') as folder`
  const file = join(found?.folder ?? '', 'bench.copy')
  await from.unsafe(`copy ${table} (${columns}) to '${file}'`)
  await to.unsafe(`copy ${table} (${columns}) from '${file}'`)
  await rm(file)
}

/** Maintenance that PostgreSQL would do later by itself. */
async function settle(sql: postgres.Sql, progress: Progress) {
  progress('vacuum, analyze')
  // Pages whose last commit isn't on disk yet aren't marked as visible to all.
  await sql.unsafe('checkpoint')
  await sql.unsafe(`select setval(pg_get_serial_sequence('movies', 'id'), max(id)) from movies`)
  await sql.unsafe('vacuum (analyze) movies')
}
