import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { commands } from '../../src/cli/index'
import { databaseVariables, type Finished, redlight } from '../support/command-line'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { aMovie, startTestServer, type TestServer, type TestUser } from '../support/server'

describe('the command line by itself', () => {
  const cases: [args: string[], code: number, stream: 'out' | 'error', contains: string][] = [
    [[], 0, 'out', 'Usage: redlight COMMAND'],
    [['help'], 0, 'out', 'healthcheck'],
    [['help', 'users'], 0, 'out', 'redlight users add'],
    [['serve', '--help'], 0, 'out', 'DATABASE_URL'],
    [['version'], 0, 'out', '0.1.0'],
    [['nonsense'], 2, 'error', 'there is no command "nonsense"'],
    [['serv'], 2, 'error', 'there is no command "serv", did you mean "serve"?'],
    [['users', 'ad'.repeat(999)], 2, 'error', `not "${'ad'.repeat(30)}…"`],
    [['users', 'lits'], 2, 'error', 'not "lits", did you mean "list"?'],
    [['users', 'add', '--emial', 'x'], 2, 'error', 'there is no option "--emial", did you mean "--email"?'],
    [['users', 'add', '--email'], 2, 'error', '--email takes a value'],
    [['serve', '--port', '80'], 2, 'error', 'set the environment variable PORT instead'],
    [['movies', 'list', 'moana'], 2, 'error', '"moana" is one word too many: it takes --title, --page'],
    [['completion', 'csh'], 2, 'error', '"csh" is not one of bash, zsh, fish'],
    [['--version'], 0, 'out', '0.1.0'],
    [['help', 'nonsense'], 2, 'error', 'there is no command "nonsense"'],
    [['serve', 'now'], 2, 'error', '"now" is one word too many'],
    [['users'], 2, 'error', 'say list, add, activate, grant, revoke or remove'],
    [['users', 'activate'], 2, 'error', 'USER is missing'],
    [['users', 'grant', 'x'], 2, 'error', 'PERMISSION is missing'],
    [['users', 'grant', 'x', 'movies:eat'], 2, 'error', '"movies:eat" is not one of'],
    [['users', 'add', '--password', 'x'], 2, 'error', 'password'],
    [['movies', 'remove', 'x'], 2, 'error', '"x" is not the id of a film'],
    [['movies', 'list', '--page', '0'], 2, 'error', '--page takes a number'],
    [['healthcheck'], 1, 'error', 'nothing answers at'],
  ]
  test.each(cases)('%p exits %p', async (args, code, stream, contains) => {
    const finished = await redlight(args, { PORT: '1', DATA_DIR: '/nonexistent' })
    expect(finished.code).toBe(code)
    expect(finished[stream]).toContain(contains)
    if (code !== 0) expect(finished.error.trim().split('\n')).toHaveLength(1)
  })

  test('every command has a help with an example that fits a screen of 24 lines of 80 characters', async () => {
    const overview = (await redlight([], {})).out
    for (const name of ['', ...commands.map((command) => command.name)]) {
      const { code, out } = name === '' ? { code: 0, out: overview } : await redlight([name, '--help'], {})
      expect(code).toBe(0)
      expect(out).toMatch(RegExp(`Examples?:[^]*\\n {2}.*redlight ${name}`))
      expect(overview).toContain(name)
      const lines = out.trimEnd().split('\n')
      expect(lines.length).toBeLessThan(24)
      expect(lines.filter((line) => line.length > 80)).toEqual([])
    }
  })

  test('a variable that is misspelt is told before the wrong database is touched', async () => {
    const { error } = await redlight(['seed'], { DATABSE_URL: 'postgres://x', DATA_DIR: '/dev/null/x' })
    expect(error).toContain('there is no variable DATABSE_URL, did you mean "DATABASE_URL"? It has no effect')
    expect(error).not.toContain('postgres:')
  })
})

describe('without a server', () => {
  let database: TestDatabase
  let run: (...args: string[]) => Promise<Finished>
  beforeAll(async () => {
    database = await createTestDatabase()
    run = (...args) => redlight(args, databaseVariables(database.config))
  })
  afterAll(() => database.drop())

  test('the database is migrated and seeded once', async () => {
    expect(await run('migrate')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Applied \d+ migrations\.\n$/),
    })
    expect(await run('migrate')).toMatchObject({ code: 0, out: 'The database is up to date.\n' })
    expect(await run('seed')).toMatchObject({ code: 0, out: 'Added 120 films.\n' })
    expect((await run('movies', 'remove', '1')).code).toBe(0)
    expect(await run('seed')).toMatchObject({ code: 0, out: 'There was nothing to add.\n' })
    expect((await run('movies', 'list', '--title', 'moana')).out).toBe('0 films; page 1 of 1\n')
  })
})

describe('beside a running server', () => {
  let server: TestServer
  let alice: TestUser
  let run: (args: string[], input?: string) => Promise<Finished>
  beforeAll(async () => {
    server = await startTestServer()
    alice = await server.newUser({ name: 'Alice', username: 'alice1' })
    run = (args, input) => redlight(args, databaseVariables(server.database.config), input)
  })
  afterAll(() => server.stop())

  test('a user is added with a password from standard input, and can sign in', async () => {
    const added = await run(
      ['users', 'add', '--email', 'bob@example.com', '--name', 'Bob'],
      ' spaces stay \n',
    )
    expect(added).toMatchObject({ code: 0, out: expect.stringMatching(/^Added user \d+\.\n$/) })
    const token = await server.signIn('bob@example.com', ' spaces stay ')
    expect((await server.request('GET', '/v1/movies', { token })).status).toBe(200)
  })

  test('the rules of the API hold for users who are added', async () => {
    const bad = await run(['users', 'add', '--email', 'nobody'], 'password')
    expect(bad.code).toBe(1)
    expect(bad.error).toContain('email must be a valid email address')
    expect(bad.error).toContain('password is one of the commonest passwords')
    expect(bad.error).toContain('name must be provided')
    const taken = await run(
      ['users', 'add', '--email', alice.email.toUpperCase(), '--name', 'x'],
      'a good password',
    )
    expect(taken).toMatchObject({
      code: 1,
      error: expect.stringContaining('a user with this email address already exists'),
    })
  })

  test('a user is listed, and activated', async () => {
    const carol = await server.newUser({ name: 'Carol', activated: false })
    expect((await run(['users', 'list'])).out).toContain(`${carol.id}\t${carol.email}\t-\tinactive\t`)
    expect(await run(['users', 'activate', carol.email])).toMatchObject({ code: 0 })
    expect((await server.request('GET', '/v1/users/me', { token: carol.token })).status).toBe(200)
  })

  test('permissions are granted and taken, and the server knows within a second', async () => {
    expect((await run(['users', 'revoke', 'ALICE1', 'movies:write'])).out).toContain('Took movies:write')
    const write = () => server.request('POST', '/v1/movies', { token: alice.token, body: {} })
    await until(async () => (await write()).status === 403)
    expect((await run(['users', 'revoke', 'alice1', 'movies:write'])).out).toContain('had none of these')
    expect((await run(['users', 'grant', String(alice.id), 'movies:write', 'movies:read'])).code).toBe(0)
    await until(async () => (await write()).status === 422)
  })

  test('a removed user leaves their films to Redlight', async () => {
    const dora = await server.newUser({ name: 'Dora' })
    const created = await server.request<{ movie: { id: number } }>('POST', '/v1/movies', {
      token: dora.token,
      body: aMovie("Dora's"),
    })
    const path = `/v1/movies/${created.body.movie.id}`
    await server.request('PUT', `/v1/users/me/favourites/${created.body.movie.id}`, { token: dora.token })
    expect((await run(['users', 'remove', dora.email])).code).toBe(0)
    const left = await server.request('GET', path, { token: alice.token })
    expect(left.body).toMatchObject({ movie: { created_by: { id: 1, name: 'Redlight' }, version: 2 } })
    expect(await server.sql`select 1 from favourites where user_id = ${dora.id}`).toBeEmpty()
    await until(async () => (await server.request('GET', path, { token: dora.token })).status === 401)
  })

  test('a film is listed, assigned and removed', async () => {
    const eve = await server.newUser({ name: 'Eve' })
    const created = await server.request<{ movie: { id: number } }>('POST', '/v1/movies', {
      token: alice.token,
      body: aMovie('Between Owners'),
    })
    const { id } = created.body.movie
    expect((await run(['movies', 'list', '--title', 'owners'])).out).toContain(
      `${id}\t2001\tAlice\tBetween Owners`,
    )
    expect((await run(['movies', 'assign', String(id), eve.email])).code).toBe(0)
    const patch = (token: string) =>
      server.request('PATCH', `/v1/movies/${id}`, { token, body: { year: 2002 } })
    expect((await patch(alice.token)).status).toBe(403)
    expect((await patch(eve.token)).status).toBe(200)
    expect((await run(['movies', 'remove', String(id)])).code).toBe(0)
    expect(await run(['movies', 'remove', String(id)])).toMatchObject({
      code: 1,
      error: expect.stringContaining(`there is no film ${id}`),
    })
  })

  test('the built-in account stays as it is', async () => {
    for (const args of [
      ['users', 'remove', '1'],
      ['users', 'activate', '1'],
      ['users', 'grant', '1', 'movies:read'],
    ])
      expect(await run(args)).toMatchObject({ code: 1, error: expect.stringContaining('built in') })
  })

  test('nobody is found under a name that is not there', async () => {
    const missing = await run(['users', 'remove', 'nobody@example.com'])
    expect(missing).toMatchObject({
      code: 1,
      error: expect.stringContaining('there is no user "nobody@example.com"'),
    })
  })

  test('the healthcheck tells how the server is', async () => {
    const { hostname, port } = server.url
    expect(await redlight(['healthcheck'], { HOST: hostname, PORT: port })).toMatchObject({
      code: 0,
      out: 'available\n',
    })
    expect(await redlight(['healthcheck', '--writes'], { HOST: hostname, PORT: port })).toMatchObject({
      code: 0,
      out: 'available\n',
    })
    expect(await redlight(['healthcheck', '--write'], { HOST: hostname, PORT: port })).toMatchObject({
      code: 2,
    })
  })
})

async function until(holds: () => Promise<boolean>) {
  for (let tries = 0; tries < 100; tries++) {
    if (await holds()) return
    await Bun.sleep(20)
  }
  throw new Error('it did not come true within two seconds')
}
