import type postgres from 'postgres'

/** Several, so that no row depends on one account's lock, cache entry or movies. */
export const USERS = 32
export const FIRST_USER_ID = 2
export const PASSWORD = 'correct horse battery staple'
export const FAVOURITES = 10_000
/** Number of users who have that many favourites. */
export const COLLECTORS = 4

export const userOf = (movieId: number) => movieId % USERS
/** The place of a user's key, behind the tokens of all. */
export const keyOf = (user: number) => USERS + user
export const emailOf = (user: number) => `bench${user}@example.com`

/** The accounts of Redlight; all have the same password, which is hashed once. */
export async function insertUsers(sql: postgres.Sql, passwordHash: string) {
  await sql`
    insert into users (id, name, email, username, password_hash, activated) overriding system value
    select ${FIRST_USER_ID} + n, 'Bench ' || n, 'bench' || n || '@example.com', 'bench' || n, ${passwordHash}, true
    from generate_series(0, ${USERS - 1}::int) as n`
  await sql`select setval(pg_get_serial_sequence('users', 'id'), max(id)) from users`
  await sql`
    insert into users_permissions (user_id, permission)
    select id, permission from users, unnest(array['movies:read', 'movies:write']) as permission
    where id >= ${FIRST_USER_ID}`
}

/** Favourites of the first users: movies from the whole table, added at different times. */
export async function insertFavourites(sql: postgres.Sql, rows: number) {
  const favourites = Math.min(FAVOURITES, rows)
  await sql`
    insert into favourites (user_id, movie_id, added_at)
    select ${FIRST_USER_ID} + collector, 1 + n::bigint * ${rows} / ${favourites}, now() - random() * interval '1 year'
    from generate_series(0, ${COLLECTORS - 1}::int) as collector, generate_series(0, ${favourites - 1}::int) as n`
  await sql`vacuum analyze favourites`
}

/**
 * The tokens of all users, then their keys. Signs each user in, one after another, because a busy machine refuses
 * those who wait too long.
 */
export async function signIn(port: number): Promise<string[]> {
  const tokens: string[] = []
  for (let user = 0; user < USERS; user++) {
    const response = await fetch(`http://127.0.0.1:${port}/v1/tokens/authentication`, {
      method: 'POST',
      body: JSON.stringify({ email: emailOf(user), password: PASSWORD }),
      headers: { 'Content-Type': 'application/json' },
    })
    const token = /"token":"([^"]+)"/.exec(await response.text())?.[1]
    if (token === undefined) throw new Error(`user ${user} can't sign in: status ${response.status}`)
    tokens.push(token)
  }
  return [...tokens, ...(await Promise.all(tokens.map((token) => makeKey(port, token))))]
}

async function makeKey(port: number, token: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/keys`, {
    method: 'POST',
    body: JSON.stringify({ name: 'bench' }),
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
  })
  const key = /"key":"([^"]+)"/.exec(await response.text())?.[1]
  if (key === undefined) throw new Error(`no key was made: status ${response.status}`)
  return key
}
