import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { APP_PASSWORD, asServer, freePort, own, type PostgresServer, untilItAnswers } from './postgres'

// PgBouncer in transaction mode, in front of a private PostgreSQL.

const program = Bun.which('pgbouncer') ?? Bun.which('pgbouncer', { PATH: '/usr/sbin:/usr/local/sbin' })
export const canStartPgBouncer = program !== null
if (!canStartPgBouncer) console.warn('left out: tests through PgBouncer: no program pgbouncer')

export async function startPgBouncer(server: PostgresServer, poolSize: number) {
  const folder = await mkdtemp(join(tmpdir(), 'redlight-pgbouncer-'))
  const port = await freePort()
  const settings = join(folder, 'pgbouncer.ini')
  const users = join(folder, 'users.txt')
  await Bun.write(users, `"app" "${APP_PASSWORD}"\n`)
  // The example in the documentation, adapted to this machine.
  const [, example = ''] = /^```ini\n(.*?)^```$/ms.exec(await Bun.file('docs/OPERATIONS.md').text()) ?? []
  const here = {
    redlight: `host=127.0.0.1 port=${server.port} dbname=redlight`,
    listen_addr: '127.0.0.1',
    listen_port: port,
    auth_file: users,
    default_pool_size: poolSize,
  }
  const config = Object.entries(here).reduce(
    (text, [name, value]) => text.replace(new RegExp(`^${name} = .*`, 'm'), `${name} = ${value}`),
    example,
  )
  await Bun.write(
    settings,
    `${config}unix_socket_dir =\npidfile = ${join(folder, 'pid')}\nadmin_users = app\n`,
  )
  for (const path of [folder, settings, users]) if (process.getuid?.() === 0) await own(path)
  const start = () =>
    Bun.spawn(asServer([program ?? '', settings]), { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' })
  let child = start()
  const url = server.url('redlight', { port })
  await untilItAnswers(url)

  /** Kills PgBouncer itself, not the program that changed the user. */
  async function end() {
    process.kill(Number(await Bun.file(join(folder, 'pid')).text()), 'SIGKILL')
    await child.exited
    rmSync(join(folder, 'pid'))
  }

  return {
    url,
    kill: end,
    async start() {
      child = start()
      await untilItAnswers(url)
    },
    async dispose() {
      await end()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
