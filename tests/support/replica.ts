import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { ADMIN_PASSWORD, freePort, own, type PostgresServer, runAsServer } from './postgres'

/** A streaming replica of a PostgreSQL of the test's own. */
export async function startReplica(primary: PostgresServer) {
  const folder = await mkdtemp(join(tmpdir(), 'redlight-replica-'))
  if (process.getuid?.() === 0) await own(folder)
  const data = join(folder, 'data')
  const port = await freePort()
  const admin = { user: 'admin', password: ADMIN_PASSWORD }
  await runAsServer('pg_basebackup', [
    ...['--pgdata', data, '--dbname', primary.url('postgres', admin), '--checkpoint', 'fast'],
    ...['--write-recovery-conf', '--wal-method', 'stream', '--no-sync'],
  ])
  const control = (...args: string[]) => runAsServer('pg_ctl', ['--pgdata', data, '--wait', ...args])
  const start = () => control('start', '--log', join(folder, 'log'), '--options', `-p ${port}`)
  const main = async () => Number((await Bun.file(join(data, 'postmaster.pid')).text()).split('\n')[0])
  const admit = () => postgres(primary.url('redlight', { ...admin, port }), { max: 1, onnotice: () => {} })
  async function order(statement: string) {
    const sql = admit()
    try {
      return await sql.unsafe(statement)
    } finally {
      await sql.end()
    }
  }
  async function signal(name: 'SIGSTOP' | 'SIGCONT') {
    const postmaster = await main()
    const table = await Bun.$`ps -A -o pid=,ppid=`.text()
    const processes = table.split('\n').map((line) => line.trim().split(/\s+/).map(Number))
    for (const [pid = 0, parent] of processes)
      if (pid === postmaster || parent === postmaster) process.kill(pid, name)
  }
  await start()
  return {
    url: primary.url('redlight', { port }),
    name: `127.0.0.1:${port}`,
    order,
    start,
    kill: () => control('stop', '--mode', 'immediate'),
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    async dispose() {
      await signal('SIGCONT').catch(() => {})
      await control('stop', '--mode', 'immediate').catch(() => {})
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
