/**
 * The floor that Redlight is compared with: the thinnest server that does the work. Bun's router, postgres.js with
 * prepared statements, token, permission and movie in one statement; no log, metrics, limits or validation.
 */
import postgres from 'postgres'
import { tokenHash } from './floor-schema'

type Movie = {
  id: string
  title: string
  year: number
  runtime: number
  genres: string[]
  director: string | null
  cast: string[] | null
  release_date: string | null
  synopsis: string | null
  creator_id: string
  creator_name: string
  creator_username: string | null
  version: number
}
type MovieInput = {
  title: string
  year: number
  runtime: string
  genres: string[]
  director?: string
  cast?: string[]
  release_date?: string
  synopsis?: string
}

const sql = postgres(process.env.DATABASE_URL ?? '', { max: 10, types: { date: textDate() } })
const columns = sql`m.id, m.title, m.year, m.runtime, m.genres, m.director, m.cast, m.release_date, m.synopsis,
  u.id as creator_id, u.name as creator_name, u.username as creator_username, m.version`

/** The token's user, if they have the permission. */
const caller = (request: Request, permission: string) =>
  sql`select t.user_id from tokens t join users_permissions p on p.user_id = t.user_id and p.permission = ${permission}
    where t.hash = ${hashOf(request)} and t.expires_at > now()`

const hashOf = (request: Request) => tokenHash(request.headers.get('authorization')?.slice(7) ?? '')
const failed = (status: number) => Response.json({ error: 'failed' }, { status })

Bun.serve({
  hostname: process.env.HOST,
  port: process.env.PORT,
  development: false,
  routes: {
    '/v1/healthcheck': () => Response.json({ status: 'available' }),
    '/v1/movies': { GET: list, POST: insert },
    '/v1/movies/:id': { GET: find, PATCH: update },
  },
  fetch: () => failed(404),
  error: ({ message }) => Response.json({ error: message }, { status: 500 }),
})

async function find(request: Bun.BunRequest<'/v1/movies/:id'>) {
  const [movie] = await sql<(Movie | { id: null })[]>`
    select ${columns} from (${caller(request, 'movies:read')}) as caller
    left join (movies m join users u on u.id = m.created_by) on m.id = ${request.params.id}`
  if (movie === undefined) return failed(401)
  return movie.id === null ? failed(404) : Response.json({ movie: movieJson(movie) })
}

async function list(request: Request) {
  const query = new URL(request.url).searchParams
  const [title, genres, sort] = [query.get('title'), query.get('genres'), query.get('sort') ?? 'id']
  const [page, pageSize] = [Number(query.get('page') ?? 1), Number(query.get('page_size') ?? 20)]
  const given = [
    title !== null && sql`to_tsvector('simple', m.title) @@ plainto_tsquery('simple', ${title})`,
    genres !== null && sql`m.genres @> ${genres.split(',')}::text[]`,
  ].filter((condition) => condition !== false)
  const where = given.reduce(
    (before, condition, place) => sql`${before} ${place === 0 ? sql`where` : sql`and`} ${condition}`,
    sql``,
  )
  const order = sql`${sql(`m.${sort.replace('-', '')}`)} ${sort.startsWith('-') ? sql`desc` : sql`asc`}, m.id`

  const [user] = await caller(request, 'movies:read')
  if (user === undefined) return failed(401)
  const [movies, [count]] = await Promise.all([
    sql<Movie[]>`select ${columns} from movies m join users u on u.id = m.created_by
      ${where} order by ${order} limit ${pageSize} offset ${(page - 1) * pageSize}`,
    sql<{ records: string }[]>`select count(*) as records from movies m ${where}`,
  ])
  const total = Number(count?.records)
  const last = Math.max(1, Math.ceil(total / pageSize))
  const metadata = {
    current_page: page,
    page_size: pageSize,
    first_page: 1,
    last_page: last,
    total_records: total,
  }
  return Response.json({ movies: movies.map(movieJson), metadata })
}

async function insert(request: Request) {
  const body: MovieInput = JSON.parse(await request.text())
  const [movie] = await sql<Movie[]>`
    with m as (
      insert into movies (title, year, runtime, genres, director, "cast", release_date, synopsis, created_by)
      select ${body.title}, ${body.year}::int, ${Number.parseInt(body.runtime, 10)}::int, ${body.genres}::text[],
        ${body.director ?? null}, ${body.cast ?? null}::text[], ${body.release_date ?? null}::date,
        ${body.synopsis ?? null}, user_id
      from (${caller(request, 'movies:write')}) as caller returning *
    )
    select ${columns} from m join users u on u.id = m.created_by`
  return movie === undefined ? failed(401) : Response.json({ movie: movieJson(movie) }, { status: 201 })
}

/** Only the runtime changes. */
async function update(request: Bun.BunRequest<'/v1/movies/:id'>) {
  const body: Pick<MovieInput, 'runtime'> = JSON.parse(await request.text())
  const [movie] = await sql<Movie[]>`
    update movies m set runtime = ${Number.parseInt(body.runtime, 10)}, version = m.version + 1
    from (${caller(request, 'movies:write')}) as caller, users u
    where m.id = ${request.params.id} and m.created_by = caller.user_id and u.id = m.created_by
    returning ${columns}`
  return movie === undefined ? failed(404) : Response.json({ movie: movieJson(movie) })
}

function movieJson(movie: Movie) {
  const { id, title, year, runtime, genres, director, cast, release_date, synopsis, version } = movie
  return {
    ...{ id: Number(id), title, year, runtime: `${runtime} mins`, genres },
    ...{ director: director ?? undefined, cast: cast ?? undefined, release_date: release_date ?? undefined },
    synopsis: synopsis ?? undefined,
    created_by: {
      id: Number(movie.creator_id),
      name: movie.creator_name,
      username: movie.creator_username ?? undefined,
    },
    version,
  }
}

/** Keeps calendar dates as text. */
function textDate() {
  const text = (value: string) => value
  return { to: 1082, from: [1082], serialize: text, parse: text }
}
