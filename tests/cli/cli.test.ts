import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { databaseVariables, type Finished, redlight } from '../support/command-line'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { executable } from '../support/executable'
import { aMovie, startTestServer, type TestServer, type TestUser } from '../support/server'
import { until } from '../support/until'
import { usage } from '../support/usage'

describe('the command line alone', () => {
  type Case = [args: string[], code: number, stream: 'out' | 'error', contains: string]
  const cases: Case[] = [
    [[], 0, 'out', 'Usage: redlight [options] [command]'],
    [['help'], 0, 'out', 'healthcheck'],
    [['-h'], 0, 'out', 'healthcheck'],
    [['help', 'help'], 0, 'out', 'healthcheck'],
    [['help', 'users'], 0, 'out', 'grant <user> <permission...>'],
    [['help', 'users', 'add'], 0, 'out', '--email <address>'],
    [['serve', '--help'], 0, 'out', 'DATABASE_URL'],
    [['users', '-h'], 0, 'out', 'grant <user> <permission...>'],
    [['version'], 0, 'out', '0.2.0'],
    [['--version'], 0, 'out', '0.2.0'],
    [['-v'], 0, 'out', '0.2.0'],
    [['-V'], 0, 'out', '0.2.0'],
    [['nonsense'], 2, 'error', 'redlight: unknown command "nonsense"; see "redlight --help"'],
    [['nonsense', '--help'], 2, 'error', 'unknown command "nonsense"'],
    [['help', 'nonsense'], 2, 'error', 'unknown command "nonsense"'],
    [['serv'], 2, 'error', 'unknown command "serv", did you mean "serve"? See "redlight --help"'],
    [['complet'], 2, 'error', 'did you mean "completion"?'],
    [['users'], 2, 'error', 'missing subcommand: list, add, activate, grant, revoke, password, remove; see'],
    [['users', '--'], 2, 'error', 'missing subcommand: list'],
    [['users', 'ad'.repeat(999)], 2, 'error', `unknown subcommand "${'ad'.repeat(30)}…"`],
    [['users', 'lits'], 2, 'error', 'redlight users: unknown subcommand "lits", did you mean "list"?'],
    [['users', 'add', '--emial', 'x'], 2, 'error', 'unknown option "--emial", did you mean "--email"?'],
    [['users', 'add', '--emial=x'], 2, 'error', 'unknown option "--emial", did you mean "--email"?'],
    [['users', 'add', '--email'], 2, 'error', 'option "--email <address>" argument missing'],
    [['users', 'add', '--password', 'x'], 2, 'error', 'unknown option "--password"; see "redlight users add'],
    [
      ['serve', '--port', '80'],
      2,
      'error',
      'unknown option "--port": set the environment variable PORT instead',
    ],
    [['--log-level=warn'], 2, 'error', 'set the environment variable LOG_LEVEL instead'],
    [['serve', 'now'], 2, 'error', 'redlight serve: unexpected argument "now"'],
    [
      ['movies', 'list', 'moana'],
      2,
      'error',
      'unexpected argument "moana"; see "redlight movies list --help"',
    ],
    [['completion', 'csh'], 2, 'error', '"csh" is not one of bash, zsh, fish, powershell'],
    [['users', 'activate'], 2, 'error', 'missing required argument "user"'],
    [['users', 'grant', 'x'], 2, 'error', 'missing required argument "permission"'],
    [['users', 'grant', 'x', 'movies:eat'], 2, 'error', '"movies:eat" is not one of movies:read'],
    [['movies', 'remove', 'x'], 2, 'error', '"x" is not the id of a movie'],
    [['movies', 'list', '--page', '0'], 2, 'error', '--page takes a number'],
  ]
  const started: Case[] = [
    [[], 0, 'out', 'Usage: redlight [options] [command]'],
    [['version'], 0, 'out', '0.2.0'],
    [['users', 'lits'], 2, 'error', 'redlight users: unknown subcommand "lits", did you mean "list"?'],
    [['healthcheck'], 1, 'error', 'nothing answers at'],
    [['restore', '--', '-x.backup'], 1, 'error', "can't read -x.backup"],
    [['restore', '--replace', '--', '-x.backup'], 1, 'error', "can't read -x.backup"],
    [['backup', '--check', '--', '--help'], 1, 'error', "can't read --help"],
  ]
  function expectCase(finished: Finished, code: number, stream: Case[2], contains: string) {
    expect(finished.code).toBe(code)
    expect(finished[stream]).toContain(contains)
    if (code !== 0) expect(finished.error.trim().split('\n')).toHaveLength(1)
    expect(finished[stream === 'out' ? 'error' : 'out']).toBe('')
  }
  test.each(cases)('%p exits %p', async (args, code, stream, contains) =>
    expectCase(await usage(args), code, stream, contains),
  )
  test.each(started)('%p exits %p, as a process', async (args, code, stream, contains) =>
    expectCase(await redlight(args, { PORT: '1', DATA_DIR: '/dev/null/x' }), code, stream, contains),
  )

  test('help is the same in both forms, has an example, and fills lines of 80 characters', async () => {
    const overview = (await usage([])).out
    const { out } = await redlight(['complete', '--', ''], {})
    const names = [...out.matchAll(/^(\w+)\t/gm)].map(([, name = '']) => name)
    expect(names).toContain('completion')
    for (const name of names) {
      const help = await usage([name, '--help'])
      expect(await usage(['help', name])).toEqual(name === 'help' ? { ...help, out: overview } : help)
      if (name !== 'help')
        expect(help.out).toMatch(RegExp(`^Examples:\n( {2}.*\n)* {2}.*redlight ${name}`, 'm'))
      expect(overview).toMatch(RegExp(`^ {2}${name} `, 'm'))
      const lines = help.out.trimEnd().split('\n')
      expect(lines.length).toBeLessThan(37)
      expect(lines.filter((line) => line.length > 80 || line.endsWith(' '))).toEqual([])
      // A paragraph's line ends only where the next word wouldn't fit.
      const isShort = (line: string, place: number) => {
        const [, next] = /^([^ ]+)/.exec(lines[place + 1] ?? '') ?? []
        return /^[^ ]/.test(line) && next !== undefined && line.length + next.length < 79
      }
      expect(lines.filter(isShort)).toEqual([])
    }
  })

  test('a misspelt variable is reported before the wrong database is touched', async () => {
    const { error } = await redlight(['seed'], { DATABSE_URL: 'postgres://x', DATA_DIR: '/dev/null/x' })
    expect(error).toContain('redlight: Ignoring unknown setting DATABSE_URL. Did you mean DATABASE_URL?')
    expect(error).not.toContain('postgres:')
  })

  test.skipIf(!existsSync('/dev/full'))('fails if what it prints is lost', async () => {
    const print = async (stdout: Bun.BunFile | 'pipe') => {
      const child = Bun.spawn([executable, 'version'], { stdout, stderr: 'pipe' })
      if (child.stdout instanceof ReadableStream) await child.stdout.cancel()
      return { error: await new Response(child.stderr).text(), code: await child.exited }
    }
    expect(await print(Bun.file('/dev/full'))).toEqual({
      error:
        "redlight: can't write standard output (ENOSPC): the disk is full: free some space, or use another folder\n",
      code: 1,
    })
    // A reader may leave, as `head` does.
    expect(await print('pipe')).toEqual({ error: '', code: 0 })
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
    expect(await run('seed')).toMatchObject({ code: 0, out: 'Added 120 movies.\n' })
    expect((await run('movies', 'list')).out).toEndWith('\n120 movies; page 1 of 2\n')
    expect((await run('movies', 'list', '--title', 'moana')).out).toEndWith('\n1 movie\n')
    expect((await run('movies', 'list', '--page', '99')).out).toBe(
      "Page 99 doesn't exist; the last page is 2.\n",
    )
    expect((await run('movies', 'remove', '1', '--yes')).code).toBe(0)
    expect(await run('seed')).toMatchObject({ code: 0, out: 'There was nothing to add.\n' })
    expect((await run('movies', 'list', '--title', 'moana')).out).toBe('0 movies\n')
    // Nine starts of the embedded database.
  }, 240_000)
})

describe('with a running server', () => {
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
    expect(added).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Added bob@example\.com as user \d+\.\n$/),
    })
    const token = await server.signIn('bob@example.com', ' spaces stay ')
    expect((await server.request('GET', '/v1/movies', { token })).status).toBe(200)
  })

  test('the rules of the API apply to added users', async () => {
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
    expect((await run(['users', 'list'])).out).toMatch(
      RegExp(`^${carol.id} +${carol.email} +- +inactive +`, 'm'),
    )
    expect(await run(['users', 'activate', carol.email])).toMatchObject({ code: 0 })
    expect((await server.request('GET', '/v1/users/me', { token: carol.token })).status).toBe(200)
  })

  test('permissions are granted and revoked, and the server knows within a second', async () => {
    expect((await run(['users', 'revoke', 'ALICE1', 'movies:write'])).out).toBe(
      `Revoked movies:write from ${alice.email}.\n`,
    )
    const write = () => server.request('POST', '/v1/movies', { token: alice.token, body: {} })
    await until(async () => (await write()).status === 403)
    expect((await run(['users', 'revoke', 'alice1', 'movies:write'])).out).toBe(
      `${alice.email} didn't have movies:write; nothing changed.\n`,
    )
    expect((await run(['users', 'grant', String(alice.id), 'movies:write', 'movies:read'])).code).toBe(0)
    await until(async () => (await write()).status === 422)
  })

  test('a removed user leaves their movies to Redlight', async () => {
    const dora = await server.newUser({ name: 'Dora' })
    const created = await server.request<{ movie: { id: number } }>('POST', '/v1/movies', {
      token: dora.token,
      body: aMovie("Dora's"),
    })
    const path = `/v1/movies/${created.body.movie.id}`
    await server.request('PUT', `/v1/users/me/favourites/${created.body.movie.id}`, { token: dora.token })
    expect(await run(['users', 'remove', dora.email])).toEqual({
      code: 2,
      out: '',
      error:
        'redlight users remove: there is no terminal to ask on: add --yes; see "redlight users remove --help"\n',
    })
    expect((await run(['users', 'remove', '--yes', dora.email])).out).toBe(
      `Removed ${dora.email} (user ${dora.id}, 1 movie). 1 movie now belongs to the account Redlight.\n`,
    )
    const left = await server.request('GET', path, { token: alice.token })
    expect(left.body).toMatchObject({ movie: { created_by: { id: 1, name: 'Redlight' }, version: 2 } })
    expect(await server.sql`select 1 from favourites where user_id = ${dora.id}`).toBeEmpty()
    await until(async () => (await server.request('GET', path, { token: dora.token })).status === 401)
  })

  test('a movie is listed, assigned and removed', async () => {
    const eve = await server.newUser({ name: 'Eve' })
    const created = await server.request<{ movie: { id: number } }>('POST', '/v1/movies', {
      token: alice.token,
      body: aMovie('Between Owners'),
    })
    const { id } = created.body.movie
    expect((await run(['movies', 'list', '--title', 'owners'])).out).toBe(
      `ID  YEAR  ADDED BY  TITLE\n${id}   2001  Alice     Between Owners\n1 movie\n`,
    )
    expect((await run(['movies', 'assign', String(id), eve.email])).code).toBe(0)
    const patch = (token: string) =>
      server.request('PATCH', `/v1/movies/${id}`, { token, body: { year: 2002 } })
    expect((await patch(alice.token)).status).toBe(403)
    expect((await patch(eve.token)).status).toBe(200)
    expect((await run(['movies', 'remove', '--yes', String(id)])).out).toBe(
      `Removed movie ${id}, Between Owners (2002).\n`,
    )
    expect(await run(['movies', 'remove', String(id)])).toMatchObject({
      code: 1,
      error: expect.stringContaining(`there is no movie ${id}`),
    })
  })

  test('the built-in account can not be changed', async () => {
    for (const args of [
      ['users', 'remove', '1'],
      ['users', 'activate', '1'],
      ['users', 'grant', '1', 'movies:read'],
    ])
      expect(await run(args)).toMatchObject({ code: 1, error: expect.stringContaining('built in') })
  })

  test('a password is set from standard input, by the rules of the API', async () => {
    const user = await server.newUser({ name: 'Penelope Pitstop' })
    for (const [input, problem] of [
      ['short\n', 'password must be at least 8 characters long'],
      ['penelope pitstop', 'password must not be the name'],
    ] as const)
      expect(await run(['users', 'password', user.email], input)).toMatchObject({
        code: 1,
        error: expect.stringContaining(problem),
      })
    expect(await run(['users', 'password', user.email], 'the operator chose it\n')).toEqual({
      code: 0,
      out: `Set a new password for ${user.email}, who is signed out everywhere.\n`,
      error: '',
    })
    await server.signIn(user.email, 'the operator chose it')
    await until(
      async () => (await server.request('GET', '/v1/users/me', { token: user.token })).status === 401,
    )
    await until(() =>
      server.logLines().some(({ to, subject }) => to === user.email && /changed/.test(`${subject}`)),
    )
    const trail = await server.sql`select action, detail from audit_events where subject_id = ${user.id}`
    expect([...trail]).toEqual([{ action: 'password.changed', detail: { by: expect.any(String) } }])
  })

  test('an unknown name finds nobody', async () => {
    const missing = await run(['users', 'remove', 'nobody@example.com'])
    expect(missing).toMatchObject({
      code: 1,
      error: expect.stringContaining('there is no user "nobody@example.com"'),
    })
  })

  test('the healthcheck reports the state of the server', async () => {
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
